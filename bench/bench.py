#!/usr/bin/env python3
"""Compares minivm with every WebAssembly engine that is found, on kernels of our own.

Engines are run in turn, round after round, so that a change of the machine's speed meets them all.
The figure for a kernel is the CPU time (user and system) of the whole process, less that of an empty module on the same
engine. Start-up is the wall time of an empty module, memory its peak resident size, and the load
cases are large modules that do next to nothing. README.md beside this file explains how to read it all.

Needs Python's standard library, a C compiler, and a clang that targets wasm32-wasi with a C library for it.
"""

import argparse
import json
import math
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import time

import report

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
CACHE = os.environ.get("MINIVM_BENCH_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "minivm-bench")
PROGRAMS = os.path.join(ROOT, "build", "programs")

# name: (size for --quick, counts in the geometric mean, flags of the wasm form)
KERNELS = {
    "mixed": (560, True, []),
    "fib": (33, True, []),
    "sieve": (12, True, []),
    "matmul": (220, True, []),
    "nbody": (170000, True, []),
    "mandelbrot": (400, True, []),
    "sha256": (31, True, []),
    "bytecode": (5600, True, []),
    "indirect": (26000, True, []),
    "hashmap": (1100000, True, []),
    "xorshift": (4200000, True, []),
    "alloc": (190000, False, []),
    "simd": (700, False, ["-msimd128"]),
    "coremark": (300, False, None),     # a crate's, built by install-peers
}
MEAN = [name for name, (_, counts, _) in KERNELS.items() if counts]

# What every engine understands: the first version of WebAssembly and the additions of its second that are not
# reference types (whose long form of table indices older engines reject).
WASM_FLAGS = ["--target=wasm32-wasi", "-mcpu=mvp", "-mmutable-globals", "-msign-ext", "-mnontrapping-fptoint",
              "-mbulk-memory", "-O2", "-s"]
KERNEL_FLAGS = ["-std=gnu11", "-Wall", "-Wextra", "-Wno-parentheses", "-ffp-contract=off", "-fno-math-errno"]

# Load cases: name, module below build/programs, arguments.
LOADS = [
    ("gocompile", "gocompile.wasm", ["-V"]),
    ("gcc", "avr-cc1.wasm", ["--version"]),
    ("python", "python.wasm", ["--version"]),
    ("yosys", "yosys.wasm", ["-V"]),
]

# The smallest command: one memory and an exported function that returns.
EMPTY = (b"\0asm\1\0\0\0" b"\1\4\1\x60\0\0" b"\3\2\1\0" b"\5\3\1\0\1"
         b"\7\x13\2\6memory\2\0\6_start\0\0" b"\x0a\4\1\2\0\x0b")

# Other builds of minivm to compare with: folder below build, settings of make.
BUILDS = {"gcc": ("gcc", ["CC=gcc"]), "switch": ("gcc-switch", ["CC=gcc", "DISPATCH=switch"])}

# The same minivm with something switched on, or off.
VARIANTS = {"fuel": ["--fuel", "1000000000000000"], "timeout": ["--timeout", "1h"]}


def die(text):
    sys.exit(f"bench: {text}")


def tool(*names):
    return next((n for n in names if n and shutil.which(n)), None)


def newer(target, *sources):
    return not os.path.exists(target) or any(os.path.getmtime(s) > os.path.getmtime(target) for s in sources)


def sh(*command, **options):
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode:
        die(f"{' '.join(command)} failed:\n{result.stderr}")


def make(folder, *settings):
    """Brings the minivm in a folder of build up to date, whatever a make above this process was told."""
    path = os.path.join("build", folder, "minivm")
    progress(f"making {path}")
    told = ("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "MFLAGS", "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "DISPATCH", "VARIANT")
    env = {key: value for key, value in os.environ.items() if key not in told}
    sh("make", "-s", f"-j{os.cpu_count() or 1}", f"VARIANT={folder}", *settings, path, cwd=ROOT, env=env)
    return os.path.join(ROOT, path)


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (result.stdout or result.stderr).strip().split("\n")[0]


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


# Engines

class Engine:
    """A way to run a module: the command before it, and what to call it. kind is one of
    native, own (a minivm), variant (of the first one), peer (an interpreter), slow (one, or an emulation, that is several times
    slower: one round shows what it is) and compiler (one round, and one load, which takes it a minute)."""

    def __init__(self, name, kind, prefix, version="", env=None):
        self.name, self.kind, self.prefix, self.version = name, kind, prefix, version
        self.env = dict(os.environ, **(env or {}))

    def command(self, module, args):
        return [module[:-len(".wasm")], *args] if self.kind == "native" else [*self.prefix, module, *args]

    @property
    def brief(self):
        return self.kind in ("slow", "compiler")


def built_by(path):
    """The compiler that left its name in a program; where two did, gcc's is that of the C library's start files."""
    with open(path, "rb") as file:
        found = re.findall(rb"(?:[A-Z]\w* )?clang version [^\0(]*|GCC: [^\0]*", file.read())
    names = sorted({name.decode(errors="replace").strip() for name in found}, key=lambda name: "GCC" in name)
    return names[0] if names else "compiler unknown"


def own_engines(options):
    """The minivm to measure, its variants and its other builds."""
    given = [m.split("=", 1) if "=" in m else ("minivm", m) for m in options.minivm]
    engines = []
    for name, command in given or [("minivm", os.path.join(ROOT, "build", "minivm"))]:
        path, *words = shlex.split(command)
        if not os.access(path, os.X_OK):
            die(f"no {path}")
        engines.append(Engine(name, "own", [os.path.abspath(path), "run", *words],
                              f"{first_line(path, '--version')}, {built_by(os.path.realpath(path))}"))
    first = engines[0]
    for name in options.variants:
        engines.append(Engine(name, "variant", [*first.prefix, *VARIANTS[name]], " ".join([first.name, *VARIANTS[name]])))
    for name in options.builds:
        folder, settings = BUILDS[name]
        path = make(folder, *settings)
        engines.append(Engine(name, "own", [path, "run"], f"make {' '.join(settings)}, {built_by(path)}"))
    return engines


def peer_engines():
    engines = []

    def add(name, kind, binary, options=(), env=None, cached_only=False):
        cached = os.path.join(CACHE, "bin", binary)
        path = cached if os.access(cached, os.X_OK) else None if cached_only else shutil.which(binary)
        if not path:
            return
        version = first_line(path, "--version") if path != cached else ""
        if path == cached and os.path.exists(os.path.join(CACHE, binary + ".version")):
            with open(os.path.join(CACHE, binary + ".version")) as file:
                version = file.read().strip()
        engines.append(Engine(name, kind, [path, *options], version, env))

    add("wasm3", "peer", "wasm3")
    add("wasmi", "peer", "wasmi")
    add("sfnano", "peer", "sfnano")
    add("wamr", "peer", "wamr", cached_only=True)
    add("iwasm", "peer", "iwasm")
    add("toywasm", "slow", "toywasm", ["--wasi"])
    add("wazero-interp", "slow", "wazero", ["run", "-interpreter"])
    add("pulley", "slow", "wasmtime", env={"WASMTIME_TARGET": "pulley64"}, cached_only=True)  # our runner knows the variable
    add("wazero", "compiler", "wazero", ["run"])
    add("node", "compiler", "node", ["--no-warnings", os.path.join(HERE, "peers", "node.mjs")])
    add("wasmtime", "compiler", "wasmtime")
    return engines


# Building what is run

def build(options):
    """Compiles the kernels natively and to wasm, the empty cases and the measuring program. Returns the C compiler."""
    folder = options.build
    os.makedirs(folder, exist_ok=True)
    cc = tool(os.environ.get("BENCH_CC"), "clang-19", "clang", "gcc", "cc") or die("no C compiler found")
    header = os.path.join(HERE, "kernels", "kernel.h")
    wasm_cc = None
    for name in options.kernels:
        if KERNELS[name][2] is None:
            continue
        source = os.path.join(HERE, "kernels", name + ".c")
        native, wasm = os.path.join(folder, name), os.path.join(folder, name + ".wasm")
        if newer(native, source, header):
            sh(cc, "-O2", *KERNEL_FLAGS, "-o", native, source)
        if newer(wasm, source, header):
            wasm_cc = wasm_cc or tool(os.environ.get("WASM_CC"), "clang-19", "clang") or die("no clang for wasm32-wasi found")
            sh(wasm_cc, *WASM_FLAGS, *KERNEL_FLAGS, *KERNELS[name][2], "-o", wasm, source)
    with open(os.path.join(folder, "empty.wasm"), "wb") as file:
        file.write(EMPTY)
    with open(os.path.join(folder, "empty.c"), "w") as file:
        file.write("int main(void) { return 0; }\n")
    sh(cc, "-O2", "-o", os.path.join(folder, "empty"), os.path.join(folder, "empty.c"))
    if newer(os.path.join(folder, "measure"), os.path.join(HERE, "measure.c")):
        sh(cc, "-O2", "-static", "-o", os.path.join(folder, "measure"), os.path.join(HERE, "measure.c"))
    return cc


def kernel_module(options, kernel):
    return os.path.join(os.path.join(CACHE, "kernels") if KERNELS[kernel][2] is None else options.build, kernel + ".wasm")


def code_size(path):
    """Bytes of the code section of a module."""
    with open(path, "rb") as file:
        data = file.read()
    at = 8
    while at < len(data):
        section, at, shift, size = data[at], at + 1, 0, 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if section == 10:
            return size
        at += size
    return 0


# Measuring

class Failed(Exception):
    pass


def run(options, engine, module, args, runs=1, timeout=900):
    """Runs a command some times: a list of (wall s, CPU s, peak MiB), and the output of the last."""
    reader, writer = os.pipe()
    command = [os.path.join(options.build, "measure"), str(runs), str(writer), *engine.command(module, args)]
    try:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=engine.env,
                                pass_fds=[writer], timeout=timeout)
    except subprocess.TimeoutExpired:
        os.close(writer)
        os.close(reader)
        raise Failed("took too long")
    os.close(writer)
    with os.fdopen(reader) as file:
        rows = [line.split() for line in file]
    if len(rows) != runs:
        raise Failed("could not be started")
    if any(row[3] != "0" for row in rows):
        text = result.stderr.decode(errors="replace").strip().split("\n")[-1]
        raise Failed(f"exit status {rows[-1][3]}" + (f": {text}" if text else ""))
    return [(int(r[0]) / 1e9, int(r[1]) / 1e9, int(r[2]) / 1024) for r in rows], result.stdout


class Results:
    def __init__(self):
        self.kernels = {}       # kernel -> engine -> list of CPU seconds, empty module deducted
        self.empty = {}         # engine -> {wall, wall_median, cpu, memory}
        self.loads = {}         # case -> engine -> {wall, cpu, memory}
        self.sizes = {}         # load case -> MB of code
        self.micro = {}         # what micro.c prints
        self.failures = {}      # what was left out -> why

    def minimum(self, kernel, engine):
        times = self.kernels.get(kernel, {}).get(engine)
        return min(times) if times else None

    def median(self, kernel, engine):
        times = self.kernels.get(kernel, {}).get(engine)
        return statistics.median(times) if times else None

    def ratios(self, engine, base, kernels, figure=None):
        figure = figure or self.minimum
        pairs = [(k, figure(k, engine), figure(k, base)) for k in kernels]
        return {k: a / b for k, a, b in pairs if a is not None and b}

    def geomean(self, engine, base, figure=None, kernels=MEAN):
        """None unless every kernel has a value: a mean over fewer would flatter."""
        ratios = self.ratios(engine, base, kernels, figure)
        return math.exp(sum(map(math.log, ratios.values())) / len(ratios)) if ratios and len(ratios) == len(kernels) else None

    def worst(self, engine, base, kernels=MEAN):
        """The largest ratio of any one kernel, by medians."""
        ratios = self.ratios(engine, base, kernels, self.median)
        return max(ratios.values()) if ratios and len(ratios) == len(kernels) else None

    def spread(self, engine):
        """The median over the kernels of (maximum − minimum) ÷ minimum."""
        spans = [(max(t[engine]) - min(t[engine])) / min(t[engine])
                 for t in self.kernels.values() if len(t.get(engine, ())) > 1]
        return statistics.median(spans) if spans else None

    def startup(self, engine):
        """Milliseconds over an empty C program."""
        both = self.empty.get(engine), self.empty.get("native")
        return (both[0]["wall"] - both[1]["wall"]) * 1e3 if all(both) else None

    def load_per_mb(self, case, engine):
        """CPU milliseconds for each MB of code."""
        figures = self.loads.get(case, {}).get(engine)
        return (figures["cpu"] - self.empty[engine]["cpu"]) * 1e3 / self.sizes[case] if figures else None


def measure_empty(options, engines, results):
    alive = []
    for engine in engines:
        progress(f"start-up: {engine.name}")
        try:
            rows, _ = run(options, engine, os.path.join(options.build, "empty.wasm"), [], 8 if options.quick else 40)
        except Failed as failure:
            results.failures["empty " + engine.name] = str(failure)
            continue
        results.empty[engine.name] = {
            "wall": min(r[0] for r in rows), "wall_median": statistics.median(r[0] for r in rows),
            "cpu": min(r[1] for r in rows), "memory": min(r[2] for r in rows)}
        alive.append(engine)
    return alive


def measure_kernels(options, engines, results):
    expected = {}
    for kernel in [k for k in options.kernels if not os.path.exists(kernel_module(options, k))]:
        results.failures[kernel] = f"not built (bench/install-peers {kernel})"
    for number in range(options.rounds):
        for kernel in options.kernels:
            args = [str(KERNELS[kernel][0])] if options.quick else []
            first = number % len(engines)       # nobody always comes after the same one
            for engine in engines[first:] + engines[:first]:
                key = f"{kernel} {engine.name}"
                seen = results.kernels.get(kernel, {}).get(engine.name, [0])
                if kernel in results.failures or key in results.failures or number and (engine.brief or seen[0] > 6):
                    continue        # once is enough of what is that slow
                progress(f"round {number + 1}/{options.rounds}: {kernel} on {engine.name}")
                try:
                    rows, output = run(options, engine, kernel_module(options, kernel), args)
                    if expected.setdefault(kernel, output) != output:
                        raise Failed(f"wrong result {output!r}")
                except Failed as failure:
                    results.failures[key] = str(failure)
                    results.kernels.get(kernel, {}).pop(engine.name, None)
                    continue
                spent = max(rows[0][1] - results.empty[engine.name]["cpu"], 1e-6)
                results.kernels.setdefault(kernel, {}).setdefault(engine.name, []).append(spent)


def measure_load(options, results, case, path, args, engines):
    expected = None
    for number in range(1 if options.quick else 3):
        for engine in engines:
            key = f"load {case} {engine.name}"
            if key in results.failures or number and engine.brief:
                continue
            progress(f"load: {case} on {engine.name}")
            try:
                rows, output = run(options, engine, path, args, timeout=120)
                expected = expected or output
                if output != expected:
                    raise Failed(f"wrong result {output!r}")
            except Failed as failure:
                results.failures[key] = str(failure)
                results.loads.get(case, {}).pop(engine.name, None)
                continue
            best = results.loads.setdefault(case, {}).setdefault(
                engine.name, {"wall": math.inf, "cpu": math.inf, "memory": math.inf})
            for index, figure in enumerate(("wall", "cpu", "memory")):
                best[figure] = min(best[figure], rows[0][index])


def measure_loads(options, engines, results):
    loaders = [e for e in engines if e.kind in ("own", "peer") and e.name not in BUILDS]
    for case, module, args in LOADS:
        path = os.path.join(PROGRAMS, module)
        if not os.path.exists(path):
            results.failures[f"load {case}"] = "not built (tests/programs/build makes it)"
            continue
        results.sizes[case] = code_size(path) / 1e6
        first = case == LOADS[0][0]     # one is enough for compilers, which take up to minutes
        measure_load(options, results, case, path, args, [*loaders, *(e for e in engines if first and e.brief)])
        if first:
            measure_precompiled(options, results, case, path, args, next((e for e in loaders if e.kind == "own"), None))


def measure_precompiled(options, results, case, path, args, engine):
    """The same module as `minivm compile` prepares it."""
    name, image = case + "-precompiled", os.path.join(options.build, case + ".mvm")
    progress(f"compiling {case}")
    made = engine and subprocess.run([engine.prefix[0], "compile", "-o", image, path], capture_output=True, text=True)
    if not made or made.returncode:
        results.failures[f"load {name}"] = made.stderr.strip().split("\n")[0] if made else "no minivm to measure"
        return
    results.sizes[name] = results.sizes[case]
    trusting = Engine(engine.name, engine.kind, [*engine.prefix, "--allow-precompiled"])
    measure_load(options, results, name, image, args, [trusting])
    os.remove(image)        # several times the module's size


def measure_micro(options, engine, results, cc):
    """Builds micro.c with the library of a minivm and keeps the least of what it prints (of three runs)."""
    library = os.path.join(os.path.dirname(engine.prefix[0]), "libminivm.a")
    program = os.path.join(options.build, "micro")
    if not os.path.exists(library):
        results.failures["single costs"] = f"no {os.path.relpath(library, ROOT)}"
        return
    sh(cc, "-std=c11", "-O2", "-I" + os.path.join(ROOT, "include"), "-o", program, os.path.join(HERE, "micro.c"), library, "-lm", "-pthread")
    for number in range(1 if options.quick else 3):
        progress(f"single costs, {number + 1}")
        result = subprocess.run([program, str(10 ** (5 if options.quick else 8 if options.full else 7))], capture_output=True, text=True)
        if result.returncode:
            results.failures["single costs"] = result.stderr.strip() or f"exit status {result.returncode}"
            return
        for key, value in (line.split() for line in result.stdout.splitlines()):
            pick = max if key.endswith("/s") else min
            results.micro[key] = pick(float(value), results.micro.get(key, float(value)))


# Bars and goals

def value_of(results, metric, subject):
    kind, _, case = metric.partition(":")
    if kind == "geomean":
        return results.geomean(*subject)
    if kind == "worst":
        return results.worst(*subject)
    if kind == "startup":
        return results.startup(*subject)
    if kind == "memory":
        return results.empty.get(subject[0], {}).get("memory")
    if kind in ("load", "load-memory"):
        return results.loads.get(case, {}).get(subject[0], {}).get("cpu" if kind == "load" else "memory")
    if kind == "micro":
        figures = [results.micro.get(name) for name in case.split("÷")]
        return None if None in figures else figures[0] / figures[1] if figures[1:] else figures[0]
    if kind in KERNELS:
        return results.ratios(*subject, [kind]).get(kind)
    raise ValueError(metric)


def read_bars(path):
    """The lines of a file of bars: (what, metric, subject, limit)."""
    bars = []
    with open(path) as file:
        for words in filter(None, (line.split("#")[0].split() for line in file)):
            try:
                at = words.index("<=")
                value_of(Results(), words[0], words[1:at])
                bars.append((" ".join(words), words[0], words[1:at], float(words[at + 1])))
            except (ValueError, IndexError, TypeError):
                die(f"{path}: cannot read '{' '.join(words)}'")
    return bars


def judge(results, bars):
    """(what, value, whether it holds); what was not measured does not hold."""
    judged = []
    for what, metric, subject, limit in bars:
        value = value_of(results, metric, subject)
        judged.append((what, value, value is not None and value <= limit))
    return judged


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; 2 with --quick, 7 with --full)")
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test, not a measurement")
    parser.add_argument("--full", action="store_true", help="everything, into bench/results.md and .svg: half an hour of an idle machine")
    parser.add_argument("--check", action="store_true", help="measure only engines that the bars name, and exit with 1 when a bar is missed")
    parser.add_argument("--engines", help="only these, by comma (native and the base are added when present)")
    parser.add_argument("--kernels", help="only these, by comma")
    parser.add_argument("--minivm", action="append", metavar="[NAME=]COMMAND", default=[],
                        help="a minivm to measure, with options; may be given several times (build/minivm)")
    parser.add_argument("--builds", help=f"other builds of minivm, made where they are not: of {','.join(BUILDS)} (with --check and --full: all)")
    parser.add_argument("--base", default="wasm3", help="the engine that ratios refer to (wasm3)")
    parser.add_argument("--no-load", action="store_true", help="leave the load cases and the single costs out")
    parser.add_argument("--bars", default=os.path.join(HERE, "bars"), help="what must hold (bench/bars)")
    parser.add_argument("--goals", default=os.path.join(HERE, "goals"), help="what is aimed at (bench/goals)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help="where kernels are built (build/bench)")
    parser.add_argument("--output", help="prefix of the reports .md, .json and .svg (BUILD/results)")
    parser.add_argument("--build-only", action="store_true", help="build the kernels and stop")
    parser.add_argument("--list", action="store_true", help="list engines and kernels, and stop")
    options = parser.parse_args()

    plain = not options.minivm or len(options.minivm) == 1
    options.rounds = options.rounds or (2 if options.quick else 7 if options.full else 5)
    options.kernels = options.kernels.split(",") if options.kernels else list(KERNELS)
    options.mean = [k for k in options.kernels if k in MEAN]
    options.builds = options.builds.split(",") if options.builds else list(BUILDS) if options.check or options.full else []
    options.variants = list(VARIANTS) if plain and not options.engines else []
    for names, known, what in ((options.kernels, KERNELS, "kernel"), (options.builds, BUILDS, "build")):
        for name in [n for n in names if n not in known]:
            die(f"no {what} is called {name}; there are: {', '.join(known)}")
    if options.full:
        VARIANTS["no-fusion"] = ["--no-fusion"]
        options.variants = list(VARIANTS)
        options.output = options.output or os.path.join(HERE, "results")
    options.output = options.output or os.path.join(options.build, "results")
    return options


def choose_engines(options, bars):
    engines = [Engine("native", "native", [], "-O2, no engine"), *own_engines(options), *peer_engines()]
    wanted = None
    if options.engines:
        wanted = set(options.engines.split(","))
        for name in sorted(wanted - {e.name for e in engines}):
            print(f"bench: {name} was not found", file=sys.stderr)
    elif options.check and not options.full:
        wanted = {name for _, _, subject, _ in bars for name in subject}
    return [e for e in engines if not wanted or e.name in wanted | {"native", options.base} or e.kind == "own"]


def main():
    options = parse()
    bars, goals = read_bars(options.bars), read_bars(options.goals)
    engines = choose_engines(options, bars + goals)
    if options.list:
        print("engines: " + ", ".join(f"{e.name} ({e.version})" for e in engines))
        print("kernels: " + ", ".join(KERNELS))
        return 0
    cc = build(options)
    if options.build_only:
        return 0

    began, load = time.time(), os.getloadavg()[0]
    results = Results()
    alive = measure_empty(options, engines, results)
    measure_kernels(options, alive, results)
    if not options.no_load:
        measure_loads(options, alive, results)
        own = next((e for e in alive if e.kind == "own"), None)
        if own:
            measure_micro(options, own, results, cc)
    progress("")

    machine = {"cpu": cpu_name(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
               "compiler": first_line(cc, "--version"), "commit": first_line("git", "-C", ROOT, "describe", "--always", "--dirty"),
               "when": time.strftime("%Y-%m-%d"), "minutes": round((time.time() - began) / 60, 1), "load": round(load, 2)}
    judged = {"bars": judge(results, bars), "goals": judge(results, goals)}
    text = report.text(options, engines, results, machine, judged)
    print(text)
    with open(options.output + ".md", "w") as file:
        file.write(text)
    drawing = report.picture(options, alive, results, machine)
    if drawing:
        with open(options.output + ".svg", "w") as file:
            file.write(drawing)
    with open(os.path.join(options.build, "results.json") if options.full else options.output + ".json", "w") as file:
        json.dump({"machine": machine, "rounds": options.rounds, "quick": options.quick, "base": options.base,
                   "engines": {e.name: e.version for e in engines}, "kernels": results.kernels,
                   "geomean": {e.name: results.geomean(e.name, options.base, kernels=options.mean) for e in engines},
                   "empty": results.empty, "loads": results.loads, "code_mb": results.sizes, "micro": results.micro,
                   "judged": judged, "failures": results.failures}, file, indent=1)
    return 1 if options.check and not all(holds for _, _, holds in judged["bars"]) else 0


if __name__ == "__main__":
    sys.exit(main())
