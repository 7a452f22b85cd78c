// Runs a WASI command on V8 through node's own WASI: node node.mjs [--dir HOST[::GUEST]] [--env K=V] MODULE [ARGS…]
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const words = process.argv.slice(2);
const preopens = {}, env = {};
while (words[0]?.startsWith('--')) {
    const [option, value] = words.splice(0, 2);
    const [a, b = a] = value.split(option === '--dir' ? '::' : '=');
    if (option === '--dir') preopens[b] = a;
    else env[a] = b;
}
const wasi = new WASI({ version: 'preview1', args: words, env, preopens, returnOnExit: true });
const module = new WebAssembly.Module(readFileSync(words[0]));
const instance = new WebAssembly.Instance(module, wasi.getImportObject());
process.exit(wasi.start(instance));
