#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Start-up times of whole processes: --help, a worker until it has said hello, one query from a small database.

    bench/whole_processes.py BUILD_FOLDER/bin

Prints one line per figure with its target; ends with 1 when a target is missed.
"""
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 40


def median_ms(action, runs=RUNS):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def quiet(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def hello(worker):
    with subprocess.Popen([worker], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        p.stdin.write(b'{"id":1,"request":"hello","protocol":1}\n')
        p.stdin.flush()
        assert b'"answer":"hello"' in p.stdout.readline()
        p.stdin.close()
        p.stdout.read()


def small_database(bin_folder, folder):
    """A few real rows, measured here, placed as Parquet."""
    perfatlas = str(bin_folder / "perfatlas")
    quiet(perfatlas, "collect", "--grid", "aic", "--ops", "gemm", "--case-filter", "gemm_dtype=bfloat16 m=64 n=256 ",
          "--out", f"{folder}/run", "--no-probe", "--no-drift")
    quiet(perfatlas, "place", f"{folder}/run", "--into", f"{folder}/tables", "--system", "here")
    return [perfatlas, "query", "gemm", "--data", f"{folder}/tables", "--m", "64", "--n", "256", "--k", "1024"]


def report(name, value, target):
    met = value < target
    print(f"{name:<44} {value:>10.2f} ms    target < {target:<8} {'met' if met else 'MISSED'}")
    return met


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bin_folder = Path(sys.argv[1])
    print(f"{'an empty process (true), for comparison':<44} {median_ms(lambda: quiet('true')):>10.2f} ms")
    met = [
        report("perfatlas --help", median_ms(lambda: quiet(str(bin_folder / "perfatlas"), "--help")), 10),
        report("worker start to hello (respawn)", median_ms(lambda: hello(str(bin_folder / "perfatlas-worker-cpu"))),
               100),
    ]
    with tempfile.TemporaryDirectory() as folder:
        query = small_database(bin_folder, folder)
        met.append(report("one query, process and all, 22 rows", median_ms(lambda: quiet(*query)), 100))
    return not all(met)


if __name__ == "__main__":
    sys.exit(main())
