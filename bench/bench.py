#!/usr/bin/env python3
"""Compares minivm with every WebAssembly engine that is found, on kernels of our own.

Engines are run in turn, round after round, so that a change of the machine's speed meets them all.
The figure for a kernel is the CPU time (user and system) of the whole process, less that of an empty module on the same
engine; the table shows the minimum of the rounds, and ratios are formed of minima (the medians are in
the JSON). Start-up is the wall time of an empty module, memory its peak resident size, and the load
cases are large modules that do next to nothing.

Needs Python's standard library, a C compiler, and a clang that targets wasm32-wasi with a C library for it.
"""

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

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
}

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

SLOW = {"wazero-interp", "toywasm", "pulley"}       # one round is enough to see what they are
COMPILERS = {"wazero", "wasmtime", "pulley", "node"}        # … and one load, which is a minute of compilation


def die(text):
    sys.exit(f"bench: {text}")


def tool(*names):
    return next((n for n in names if n and shutil.which(n)), None)


def newer(target, *sources):
    return not os.path.exists(target) or any(os.path.getmtime(s) > os.path.getmtime(target) for s in sources)


def sh(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        die(f"{' '.join(command)} failed:\n{result.stderr}")


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (result.stdout or result.stderr).strip().split("\n")[0]


class Engine:
    """A way to run a module: the command before it, variables, and what to call it."""

    def __init__(self, name, prefix, version="", env=None, dirs=None):
        self.name, self.prefix, self.version = name, prefix, version
        self.env = dict(os.environ, **(env or {}))
        self.dirs = dirs or []

    def command(self, module, args):
        if self.name == "native":
            return [module[:-len(".wasm")], *args]
        return [*self.prefix, module, *args]


def cached_version(name):
    try:
        with open(os.path.join(CACHE, name + ".version")) as file:
            return file.read().strip()
    except OSError:
        return ""


def find_engines(minivms):
    engines = [Engine("native", [], "-O2, no engine")]
    for name, path in minivms:
        if os.access(path, os.X_OK):
            engines.append(Engine(name, [os.path.abspath(path), "run"], first_line(path, "--version")))
        else:
            print(f"bench: no {path}, {name} is left out", file=sys.stderr)

    def add(name, binary, options=(), env=None, version=None):
        cached = os.path.join(CACHE, "bin", binary)
        path = cached if os.access(cached, os.X_OK) else shutil.which(binary)
        if path:
            seen = cached_version(binary) if path == cached else first_line(path, "--version")
            engines.append(Engine(name, [path, *options], version or seen, env))

    add("wasm3", "wasm3")
    add("wasmi", "wasmi")
    add("sfnano", "sfnano")
    add("iwasm", "iwasm")
    add("toywasm", "toywasm", ["--wasi"])
    add("wazero-interp", "wazero", ["run", "-interpreter"])
    if os.access(os.path.join(CACHE, "bin", "wasmtime"), os.X_OK):      # our runner knows the variable, the command does not
        add("pulley", "wasmtime", env={"WASMTIME_TARGET": "pulley64"})
    add("wazero", "wazero", ["run"])
    add("node", "node", ["--no-warnings", os.path.join(HERE, "peers", "node.mjs")])
    add("wasmtime", "wasmtime")
    return engines


def build(folder, kernels):
    """Compiles the kernels natively and to wasm, the empty cases and the measuring program."""
    os.makedirs(folder, exist_ok=True)
    cc = tool(os.environ.get("BENCH_CC"), "clang-19", "clang", "gcc", "cc") or die("no C compiler found")
    header = os.path.join(HERE, "kernels", "kernel.h")
    wasm_cc = None
    for name in kernels:
        source = os.path.join(HERE, "kernels", name + ".c")
        native, wasm = os.path.join(folder, name), os.path.join(folder, name + ".wasm")
        if newer(native, source, header, __file__):
            sh(cc, "-O2", *KERNEL_FLAGS, "-o", native, source)
        if newer(wasm, source, header, __file__):
            wasm_cc = wasm_cc or tool(os.environ.get("WASM_CC"), "clang-19", "clang") or die("no clang for wasm32-wasi found")
            sh(wasm_cc, *WASM_FLAGS, *KERNEL_FLAGS, *KERNELS[name][2], "-o", wasm, source)
    empty = os.path.join(folder, "empty.wasm")
    with open(empty, "wb") as file:
        file.write(EMPTY)
    with open(os.path.join(folder, "empty.c"), "w") as file:
        file.write("int main(void) { return 0; }\n")
    sh(cc, "-O2", "-o", os.path.join(folder, "empty"), os.path.join(folder, "empty.c"))
    measure = os.path.join(folder, "measure")
    if newer(measure, os.path.join(HERE, "measure.c")):
        sh(cc, "-O2", "-static", "-o", measure, os.path.join(HERE, "measure.c"))
    return measure, first_line(cc, "--version")


class Failed(Exception):
    pass


def run(measure, engine, module, args, runs=1, timeout=900):
    """Runs a command some times: a list of (wall s, CPU s, peak MiB), and the output of the last."""
    reader, writer = os.pipe()
    command = [measure, str(runs), str(writer), *engine.command(module, args)]
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


class Results:
    def __init__(self):
        self.kernels = {}       # kernel -> engine -> list of CPU seconds, empty module deducted
        self.empty = {}         # engine -> {wall, cpu, memory}
        self.loads = {}         # case -> engine -> {cpu, wall, memory}
        self.failures = {}      # "kernel engine" -> reason
        self.sizes = {}         # load case -> MiB of code

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

    def geomean(self, engine, base, kernels, figure=None):
        """None unless every kernel has a value: a mean over fewer would flatter."""
        ratios = self.ratios(engine, base, kernels, figure)
        if not kernels or len(ratios) < len(kernels):
            return None
        return math.exp(sum(map(math.log, ratios.values())) / len(ratios))

    def spread(self, engine):
        """The median over the kernels of (maximum − minimum) ÷ minimum."""
        spans = [(max(t[engine]) - min(t[engine])) / min(t[engine])
                 for t in self.kernels.values() if len(t.get(engine, ())) > 1]
        return statistics.median(spans) if spans else None


def measure_all(options, engines, measure, folder):
    results = Results()
    empty = os.path.join(folder, "empty.wasm")
    alive = []
    starts = 8 if options.quick else 30

    def progress(text):
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)

    for engine in engines:
        progress(f"start-up: {engine.name}")
        try:
            rows, _ = run(measure, engine, empty, [], starts)
        except Failed as failure:
            results.failures["empty " + engine.name] = str(failure)
            continue
        results.empty[engine.name] = {
            "wall": min(r[0] for r in rows), "wall_median": statistics.median(r[0] for r in rows),
            "cpu": min(r[1] for r in rows), "memory": min(r[2] for r in rows)}
        alive.append(engine)

    expected = {}
    for number in range(options.rounds):
        for kernel in options.kernels:
            args = [str(KERNELS[kernel][0])] if options.quick else []
            for engine in alive:
                key = f"{kernel} {engine.name}"
                if key in results.failures or number and engine.name in SLOW:
                    continue
                progress(f"round {number + 1}/{options.rounds}: {kernel} on {engine.name}")
                try:
                    rows, output = run(measure, engine, os.path.join(folder, kernel + ".wasm"), args)
                    if expected.setdefault(kernel, output) != output:
                        raise Failed(f"wrong result {output!r}")
                except Failed as failure:
                    results.failures[key] = str(failure)
                    results.kernels.get(kernel, {}).pop(engine.name, None)
                    continue
                spent = max(rows[0][1] - results.empty[engine.name]["cpu"], 1e-6)
                results.kernels.setdefault(kernel, {}).setdefault(engine.name, []).append(spent)

    for case, module, args in [] if options.no_load else LOADS:
        path = os.path.join(PROGRAMS, module)
        if not os.path.exists(path):
            results.failures[f"load {case}"] = "not built (tests/programs/build makes it)"
            continue
        results.sizes[case] = code_size(path) / 1e6
        expected = None
        for number in range(1 if options.quick else 3):
            for engine in alive:
                key = f"{case} {engine.name}"
                if engine.name == "native" or key in results.failures or number and engine.name in SLOW | COMPILERS:
                    continue
                progress(f"load: {case} on {engine.name}")
                try:
                    rows, output = run(measure, engine, path, args, timeout=120)
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
    progress("")
    return results


# Presentation

def cell(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def table(head, rows):
    columns = list(zip(head, *rows))
    widths = [max(len(c) for c in column) for column in columns]
    lines = ["| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))) + " |"
             for row in [head, *rows]]
    lines.insert(1, "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    return "\n".join(lines) + "\n"


def report(options, engines, results, machine):
    base, names = options.base, [e.name for e in engines if e.name in results.empty]
    mean = [k for k in options.kernels if KERNELS[k][1]]
    lines = [f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; kernels built by {machine['compiler']}; "
             f"{machine['when']}; {options.rounds} rounds" + (", small sizes (--quick)" if options.quick else ""), ""]
    lines += [f"- {e.name}: {e.version or 'version unknown'}" for e in engines]

    lines += ["", "## CPU seconds (minimum of the rounds, empty module deducted)", ""]
    lines.append(table(["kernel", *names], [
        [k, *[cell(results.minimum(k, n), "{:.3f}") for n in names]] for k in options.kernels]))

    for reference in dict.fromkeys(n for n in (base, "native") if n in names):
        rows = [[k, *[cell(results.ratios(n, reference, [k]).get(k)) for n in names]] for k in options.kernels]
        rows.append(["**geometric mean**", *[cell(results.geomean(n, reference, mean)) for n in names]])
        rows.append(["… of medians", *[cell(results.geomean(n, reference, mean, results.median)) for n in names]])
        lines += [f"## Time relative to {reference}", "", "The mean is over " + ", ".join(mean) + ".", "",
                  table(["kernel", *names], rows)]
    lines += ["## Spread: (maximum − minimum) ÷ minimum, the median of the kernels", "",
              table(["", *names], [["spread", *[cell(results.spread(n), "{:.0%}") for n in names]]])]

    floor = results.empty.get("native", {}).get("wall")
    rows = [[n, *[cell(results.empty[n][f] * scale) for f, scale in (("wall", 1e3), ("wall_median", 1e3), ("cpu", 1e3))],
             cell((results.empty[n]["wall"] - floor) * 1e3 if floor else None), cell(results.empty[n]["memory"])] for n in names]
    lines += ["## Start-up: an empty module (native: an empty C program)", "",
              table(["engine", "wall ms, min", "median", "CPU ms", "over C, ms", "peak MiB"], rows)]

    for case, figures in results.loads.items():
        size = results.sizes[case]
        rows = [[n, cell(f["cpu"]), cell(f["wall"]), cell(f["memory"], "{:.0f}"),
                 cell((f["cpu"] - results.empty[n]["cpu"]) * 1e3 / size, "{:.1f}")] for n, f in figures.items()]
        lines += [f"## Load: {case}, {size:.1f} MB of code", "",
                  table(["engine", "CPU s", "wall s", "peak MiB", "CPU ms per MB"], rows)]

    if results.failures:
        lines += ["## Left out", ""] + [f"- {key}: {reason}" for key, reason in results.failures.items()] + [""]
    return "\n".join(lines)


PALETTE = {"native": "#9aa0a6", "minivm": "#d9480f"}


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def picture(options, engines, results, machine):
    """Bars of the geometric mean, and a dot for each kernel, on a logarithmic axis."""
    base, mean = options.base, [k for k in options.kernels if KERNELS[k][1]]
    rows = [(e.name, results.geomean(e.name, base, mean), results.ratios(e.name, base, mean)) for e in engines]
    rows = sorted((r for r in rows if r[1]), key=lambda r: r[1])
    if not rows:
        return None
    values = [v for _, g, ratios in rows for v in [g, *ratios.values()]]
    low, high = math.log10(min(values)) - .1, math.log10(max(values)) + .1
    left, width, step, top = 120, 620, 30, 58
    height = top + step * len(rows) + 56

    def x(value):
        return left + width * (math.log10(value) - low) / (high - low)

    ticks = [m * 10.0 ** e for e in range(-3, 3) for m in (1, 2, 5)]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height}" '
           'font-family="system-ui, sans-serif" font-size="13">',
           f'<rect width="{left + width + 70}" height="{height}" fill="#fff"/>',
           f'<text x="{left}" y="24" font-size="16" font-weight="600">Time relative to {escape(base)}, less is better</text>',
           f'<text x="{left}" y="42" fill="#5f6368">bar: geometric mean of {len(mean)} kernels; dots: each kernel</text>']
    bottom = top + step * len(rows)
    for tick in ticks:
        if low <= math.log10(tick) <= high:
            weight = "#5f6368" if tick == 1 else "#e3e5e8"
            out += [f'<line x1="{x(tick):.1f}" y1="{top}" x2="{x(tick):.1f}" y2="{bottom}" stroke="{weight}"/>',
                    f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5f6368">{tick:g}</text>']
    for index, (name, value, ratios) in enumerate(rows):
        y = top + step * index + 6
        colour = PALETTE.get(name, "#d9480f" if name in options.own else "#4c78a8")
        out += [f'<text x="{left - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
                f'<rect x="{left}" y="{y}" width="{x(value) - left:.1f}" height="{step - 12}" fill="{colour}" opacity=".55"/>']
        out += [f'<circle cx="{x(r):.1f}" cy="{y + (step - 12) / 2}" r="2.6" fill="{colour}"><title>{k} {r:.2f}</title></circle>'
                for k, r in ratios.items()]
        out.append(f'<text x="{left + width + 8}" y="{y + 14}" font-weight="600">{value:.2f}</text>')
    out += [f'<text x="{left}" y="{bottom + 40}" fill="#5f6368" font-size="11">{escape(machine["cpu"])}, {machine["when"]}, '
            f'minimum of {options.rounds} interleaved rounds</text>', "</svg>", ""]
    return "\n".join(out)


def check(path, options, results):
    """Compares with the bars of a file; says each, and whether all hold."""
    mean = [k for k in KERNELS if KERNELS[k][1]]
    fine = True
    with open(path) as file:
        bars = [line.split("#")[0].split() for line in file]
    for words in filter(None, bars):
        if len(words) < 4 or words[-2] != "<=":
            die(f"{path}: cannot read '{' '.join(words)}'")
        metric, *subject = words[:-2]
        limit, value = float(words[-1]), None
        kind, _, case = metric.partition(":")
        if kind == "geomean":
            value = results.geomean(*subject, mean)
        elif kind == "worst":
            ratios = results.ratios(*subject, mean, results.median)
            value = max(ratios.values()) if len(ratios) == len(mean) else None
        elif kind == "startup":
            pair = [results.empty.get(n) for n in (subject[0], "native")]
            value = (pair[0]["wall"] - pair[1]["wall"]) * 1e3 if all(pair) else None
        elif kind == "memory":
            value = results.empty.get(subject[0], {}).get("memory")
        elif kind in ("load", "load-memory"):
            value = results.loads.get(case, {}).get(subject[0], {}).get("cpu" if kind == "load" else "memory")
        elif kind in KERNELS:
            value = results.ratios(*subject, [kind]).get(kind)
        else:
            die(f"{path}: no measure is called '{metric}'")
        holds = value is not None and value <= limit
        fine &= holds
        print(f"{'holds ' if holds else 'MISSED'}  {' '.join(words):50} {'not measured' if value is None else f'{value:.3f}'}")
    return fine


def cpu_name():
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5; 2 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small sizes: a smoke test, not a measurement")
    parser.add_argument("--engines", help="only these, by comma (native and the base are added when present)")
    parser.add_argument("--kernels", help="only these, by comma")
    parser.add_argument("--minivm", action="append", metavar="[NAME=]PATH", default=[],
                        help="a minivm to measure; may be given several times (build/minivm)")
    parser.add_argument("--base", default="wasm3", help="the engine that ratios refer to (wasm3)")
    parser.add_argument("--no-load", action="store_true", help="leave the load cases out")
    parser.add_argument("--check", metavar="FILE", nargs="?", const=os.path.join(HERE, "bars"), action="append", default=[],
                        help="exit with 1 when a bar of FILE (bench/bars) is missed")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help="where kernels are built (build/bench)")
    parser.add_argument("--output", help="prefix of the reports .md, .json and .svg (BUILD/results)")
    parser.add_argument("--build-only", action="store_true", help="build the kernels and stop")
    parser.add_argument("--list", action="store_true", help="list engines and kernels, and stop")
    options = parser.parse_args()

    options.rounds = options.rounds or (2 if options.quick else 5)
    options.kernels = options.kernels.split(",") if options.kernels else list(KERNELS)
    for kernel in options.kernels:
        if kernel not in KERNELS:
            die(f"no kernel is called {kernel}; there are: {', '.join(KERNELS)}")
    minivms = [tuple(m.split("=", 1)) if "=" in m else ("minivm", m) for m in options.minivm]
    minivms = minivms or [("minivm", os.path.join(ROOT, "build", "minivm"))]
    options.own = {name for name, _ in minivms}
    engines = find_engines(minivms)
    if options.engines:
        wanted = set(options.engines.split(","))
        for name in sorted(wanted - {e.name for e in engines}):
            print(f"bench: {name} was not found", file=sys.stderr)
        engines = [e for e in engines if e.name in wanted | {"native", options.base}]
    if options.list:
        print("engines: " + ", ".join(f"{e.name} ({e.version})" for e in engines))
        print("kernels: " + ", ".join(KERNELS))
        return 0

    measure, compiler = build(options.build, options.kernels)
    if options.build_only:
        return 0
    machine = {"cpu": cpu_name(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
               "compiler": compiler, "when": time.strftime("%Y-%m-%d")}
    results = measure_all(options, engines, measure, options.build)
    text = report(options, engines, results, machine)
    print(text)

    prefix = options.output or os.path.join(options.build, "results")
    mean = [k for k in options.kernels if KERNELS[k][1]]
    with open(prefix + ".md", "w") as file:
        file.write(text)
    with open(prefix + ".json", "w") as file:
        json.dump({"machine": machine, "rounds": options.rounds, "quick": options.quick,
                   "engines": {e.name: e.version for e in engines}, "kernels": results.kernels,
                   "geomean": {e.name: results.geomean(e.name, options.base, mean) for e in engines},
                   "base": options.base, "empty": results.empty, "loads": results.loads,
                   "code_mb": results.sizes, "failures": results.failures}, file, indent=1)
    drawing = picture(options, engines, results, machine)
    if drawing:
        with open(prefix + ".svg", "w") as file:
            file.write(drawing)
    return 0 if all([check(path, options, results) for path in options.check]) else 1


if __name__ == "__main__":
    sys.exit(main())
