#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares searches with those of aiconfigurator 0.12.0 on the same published tables.

check_goldens.py PERFATLAS [FOLDER...]: PERFATLAS_WHEEL names the tables; without it the check is skipped (77). Each folder has arguments.txt (of `aiconfigurator cli default`) and the
result tables that command wrote: {agg,disagg}_{pareto,best_config_topn}.csv. The reference rounds to three decimals, so
figures agree to 1e-3, absolutely or relatively. Rows must be the same, in the same order.
"""

import csv
import os
import shlex
import subprocess
import sys
import tempfile

# The reference writes 0 for a power that it does not know; here the cell is empty.
UNKNOWN = {"power_w"}


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def agree(name, ours, theirs):
    if name in UNKNOWN and ours == "" and float(theirs or 0) == 0:
        return True
    try:
        a, b = float(ours), float(theirs)
    except ValueError:
        return ours == theirs
    return abs(a - b) <= 1e-3 * max(1.0, abs(b)) + 1e-9


def differences(ours, theirs):
    if len(ours) != len(theirs):
        yield f"{len(ours)} rows instead of {len(theirs)}"
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if list(a) != list(b):
            yield f"columns {sorted(set(a) ^ set(b)) or 'in another order'}"
            return
        wrong = [f"{name} {a[name]} instead of {b[name]}" for name in b if not agree(name, a[name], b[name])]
        if wrong:
            yield f"row {i + 1}: " + ", ".join(wrong[:6])


def check(program, wheel, folder, scratch):
    arguments = shlex.split(open(os.path.join(folder, "arguments.txt")).read())
    run = subprocess.run([program, "search", *arguments, "--step-model", "aic", "--systems-path", wheel, "--save-dir", scratch],
                         capture_output=True, text=True, check=False)
    made = [os.path.join(scratch, name) for name in os.listdir(scratch)]
    if not made:
        return [f"no results: {run.stderr.strip()}"]
    problems = []
    for table in sorted(os.listdir(folder)):
        if not table.endswith(".csv"):
            continue
        mode, name = table.split("_", 1)
        path = os.path.join(made[0], mode, name)
        if not os.path.exists(path):
            problems.append(f"{table}: not written")
            continue
        problems += [f"{table}: {text}" for text in differences(rows_of(path), rows_of(os.path.join(folder, table)))]
    return problems


def main():
    program, *folders = sys.argv[1:]
    wheel = os.environ.get("PERFATLAS_WHEEL")
    if not wheel:
        print("skipped: no published tables; tools/get_wheel.sh fetches them, PERFATLAS_WHEEL names them")
        return 77
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "goldens")
    folders = folders or sorted(os.path.join(here, name) for name in os.listdir(here))
    failed = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            problems = check(program, wheel, folder, scratch)
        failed += bool(problems)
        print(f"{os.path.basename(folder)}: {'as the reference' if not problems else f'{len(problems)} differences'}")
        for text in problems[:12]:
            print("  " + text)
    print(f"{len(folders) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
