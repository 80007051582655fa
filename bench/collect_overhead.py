#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Overhead of the collector with a worker that answers at once, and its memory at a million planned cases.

    bench/collect_overhead.py BUILD_FOLDER/bin

Needs a build with tests (collect_driver, perfatlas-worker-fake). Prints one line per figure with its target; ends with
1 when a target is missed. The overhead is the median time from one finished case to the next, the worker's own share
of a round trip included, so it is an upper bound.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = 20000


def collect(bin_folder, cases, *options):
    with tempfile.TemporaryDirectory() as folder:
        worker = [str(bin_folder / "perfatlas-worker-fake"), "--devices", "{device}"]
        command = [str(bin_folder / "collect_driver"), f"{folder}/out", str(cases), *options, "--", *worker]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def report(name, value, unit, limit, good):
    print(f"{name:<44} {value:>10.3f} {unit:<8} target {limit:<14} {'met' if good else 'MISSED'}")
    return good


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bin_folder = Path(sys.argv[1])
    quick = collect(bin_folder, CASES, "--drift-cases", "0")
    per_second = quick["measured"] / quick["elapsed_s"]
    big = collect(bin_folder, 0, "--toy-batches", "50", "--budget", "5", "--drift-cases", "0")
    met = [
        report(f"median overhead per case ({quick['measured']} cases)", quick["median_case_ms"], "ms", "< 1",
               quick["median_case_ms"] < 1),
        report("cases per second, tables included", per_second, "1/s", ">= 300", per_second >= 300),
        report(f"planning {big['planned']} cases", big["plan_cpu_s"], "s CPU", "(none)", True),
        report("peak memory after planning", big["plan_peak_rss_mb"], "MB", "< 100", big["plan_peak_rss_mb"] < 100),
        report(f"peak memory after {big['measured']} of them", big["peak_rss_mb"], "MB", "< 100",
               big["peak_rss_mb"] < 100),
    ]
    return not all(met)


if __name__ == "__main__":
    sys.exit(main())
