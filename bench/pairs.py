#!/usr/bin/env python3
"""Which register operations, pairs and triples run most often: a table over the kernels and the programs of tests/programs.

usage: bench/pairs.py [--top N] [MODULE [ARGS…]]

Builds a minivm that counts (build/pairs) and runs the kernels at small sizes and the programs that are built, or the one module given. Every program weighs the
same: a share is the average over programs of the part of all dispatches. A pair is counted where its second operation runs, whether or not
a jump lies between; what cannot be reached by falling through cannot be fused either, which the table does not know.
"""

import argparse
import collections
import os
import shutil
import subprocess
import sys
import tempfile

import bench
import report


def build():
    """A switch with all superinstructions; not optimised, for compilers take minutes for so large a function."""
    os.makedirs(os.path.join(bench.ROOT, "build", "pairs"), exist_ok=True)
    cc = bench.tool("clang-19", "clang", "gcc", "cc")
    hook = "build/pairs/pairs.o"
    bench.sh(cc, "-O2", "-Iinclude", "-Ivm", "-c", "-o", hook, "bench/pairs.c", cwd=bench.ROOT)
    return bench.make("pairs", f"CC={cc}", "DISPATCH=switch", "LAST_CFLAGS_vm/exec/=-O0 -Wno-uninitialized",
                      "CPPFLAGS=-DMV_COUNT=pairs_count", f"LDFLAGS={hook}")


def run_kernels(minivm, env):
    kernels = os.path.join(bench.ROOT, "build", "bench")
    bench.sh(os.path.join(bench.HERE, "bench.py"), "--build-only", "--build", kernels)
    for name, (size, _, flags) in bench.KERNELS.items():
        if flags is not None:
            subprocess.run([minivm, "run", os.path.join(kernels, name + ".wasm"), str(max(size // 4, 20))], env=env, stdout=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--top", type=int, default=40, help="rows of each table (40)")
    parser.add_argument("module", nargs="?", help="only this program")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    minivm = build()
    counts = tempfile.mkdtemp(prefix="minivm-pairs-")
    env = dict(os.environ, MINIVM_PAIRS=counts)
    try:
        if options.module:
            subprocess.run([minivm, "run", options.module, *options.args], env=env)
        elif os.path.exists(os.path.join(bench.PROGRAMS, "kernel-fib.wasm")):   # the kernels are among the programs
            subprocess.run([os.path.join(bench.ROOT, "tests", "programs", "run"), "--no-build", "--quick", "--engine", f"{minivm} run"],
                           env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        else:
            run_kernels(minivm, env)
        show(counts, options.top)
    finally:
        shutil.rmtree(counts)


def show(counts, top):
    shares = [collections.Counter() for _ in range(4)]
    programs = collections.Counter()
    files, total = os.listdir(counts), 0
    for name in files:
        with open(os.path.join(counts, name)) as file:
            for line in file:
                length, share, *words = line.split()
                if length == "0":
                    total += int(share)
                    continue
                sequence = " ".join(words)
                shares[int(length)][sequence] += float(share) / len(files)
                programs[sequence] += float(share) >= .001
    print(f"{len(files)} programs, {total:,} operations\n")
    for length, title in ((1, "operations"), (2, "pairs"), (3, "triples")):
        print(report.table([title, "share", "sum", "programs"], rows(shares[length].most_common(top), programs)))


def rows(most, programs):
    total = 0
    for sequence, share in most:
        total += share
        yield [sequence.replace(" ", " · "), f"{share:.2%}", f"{total:.0%}", str(programs[sequence])]


if __name__ == "__main__":
    sys.exit(main())
