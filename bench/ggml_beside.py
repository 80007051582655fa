#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same matrix products timed by perfatlas and by ggml's own benchmark, in turn, on one core.

    bench/ggml_beside.py BUILD_FOLDER/bin [--types q8_0,q4_0] [--tokens 1,512] [--core 0] [--rounds 3]

Compiles test-backend-ops (one file, a minute) from the llama.cpp sources that tools/get_ggml.sh unpacks, against the
same library in build/ggml that perfatlas-worker-ggml links; with a ggml of the system there is nothing to compare. Its
`perf` mode repeats one product on the same operands, which perfatlas calls the hot state, in the plain weight layout;
it tells the mean of a second, perfatlas the median, so run it on an idle machine. The shapes are its own: a weight of
4096 x 14336. Prints a table; ends with 1 when a ratio is off by more than 5 %.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GGML = ROOT / "build/ggml"
N, K = 4096, 14336
NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
LIMIT = 0.05


def their_program():
    program = GGML / "test-backend-ops"
    library = GGML / "lib/libggml-cpu.a"
    if program.exists() and program.stat().st_mtime > library.stat().st_mtime:
        return program
    source = subprocess.run([ROOT / "tools/get_ggml.sh", "--source"], check=True, capture_output=True, text=True)
    print("compiling test-backend-ops", file=sys.stderr)
    subprocess.run(["c++", "-O1", "-std=c++17", f"-I{GGML}/include",
                    f"{source.stdout.strip()}/tests/test-backend-ops.cpp", "-o", program, f"-L{GGML}/lib", "-lggml",
                    "-lggml-cpu", "-lggml-base", "-fopenmp", "-ldl", "-lpthread"], check=True)
    return program


def their_ms(program, core, quant, tokens):
    """With huge pages (glibc 2.35 and later), which operands of perfatlas lie in: with small ones the products of long
    weights are up to a third slower. It takes half the hardware threads it sees, at least one: on one core, one."""
    case = f"type_a={quant},type_b=f32,m={N},n={tokens},k={K},bs=\\[1,1\\],nr=\\[1,1\\]"
    out = subprocess.run(["taskset", "-c", core, program, "perf", "-b", "CPU", "-o", "MUL_MAT", "-p", case],
                         check=True, capture_output=True, text=True,
                         env=os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}).stdout
    found = re.findall(r"MUL_MAT\(.*?([0-9.]+) us/run", out)
    if len(found) != 1:
        sys.exit(f"test-backend-ops perf answered {len(found)} lines for {case}")
    return float(found[0]) / 1e3


def our_ms(bin_folder, core, quant, tokens):
    out = subprocess.run([bin_folder / "perfatlas", "bench", "gemm", "--backend", "ggml", "--kernel", "ggml_mul_mat",
                          "--dtype", NAMES.get(quant, quant), "--m", str(tokens), "--n", str(N), "--k", str(K),
                          "--device", core, "--cache", "hot", "--json"], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)["latency_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_folder", type=Path)
    parser.add_argument("--types", default="f32,f16,bf16,q8_0,q4_0,q4_K,q6_K")
    parser.add_argument("--tokens", default="1,512")
    parser.add_argument("--core", default="0")
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    program = their_program()
    print(f"{'weights':<8} {'tokens':>6} {'perfatlas ms':>13} {'test-backend-ops ms':>20} {'ratio':>7}")
    worst = 0
    for quant in a.types.split(","):
        for tokens in map(int, a.tokens.split(",")):
            ours, theirs = [], []
            for _ in range(a.rounds):
                theirs.append(their_ms(program, a.core, quant, tokens))
                ours.append(our_ms(a.bin_folder, a.core, quant, tokens))
            mine, other = statistics.median(ours), statistics.median(theirs)
            worst = max(worst, abs(mine / other - 1))
            print(f"{quant:<8} {tokens:>6} {mine:>13.4f} {other:>20.4f} {mine / other:>7.3f}", flush=True)
    print(f"largest difference {100 * worst:.1f} %, allowed {100 * LIMIT:.0f} %")
    return worst > LIMIT


if __name__ == "__main__":
    sys.exit(main())
