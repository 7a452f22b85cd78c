// AssemblyScript: classes, strings, typed arrays, maps and its reference-counting collector, with the WASI shim.
class Account {
  balance: i64 = 0;
  constructor(public name: string) {}
  add(amount: i64): this { this.balance += amount; return this; }
}

function fib(n: i32): i64 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

const accounts = new Map<string, Account>();
const args = process.argv.slice(1);
for (let i = 0; i < args.length; i++) {
  const parts = args[i].split("=");
  if (parts.length != 2) { console.error("cannot read " + args[i]); process.exit(3); }
  if (!accounts.has(parts[0])) accounts.set(parts[0], new Account(parts[0]));
  accounts.get(parts[0]).add(I64.parseInt(parts[1]));
}
const names = accounts.keys().sort();
for (let i = 0; i < names.length; i++) console.log(names[i].padStart(8) + " " + accounts.get(names[i]).balance.toString());

const floats = new Float64Array(1000);
for (let i = 0; i < floats.length; i++) floats[i] = Math.sin(i as f64);
floats.sort();
console.log(floats[0].toString() + " " + floats.reduce((sum, x) => sum + x, 0.0).toString());
console.log(fib(20).toString() + " " + Math.hypot(3, 4).toString() + " " + (0.1 + 0.2).toString());

let garbage = 0;
for (let i = 0; i < 20000; i++) garbage += [i, i + 1, i + 2].map<string>(x => x.toString()).join(",").length;
console.log(garbage.toString() + " " + "ÄÖÜ→𝄞".length.toString() + " " + String.UTF8.byteLength("ÄÖÜ→𝄞").toString());
process.exit(accounts.size);
