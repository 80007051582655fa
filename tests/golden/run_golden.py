#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs text goldens: `$ command`, then what it must print (standard output and error together), then `exit N`.

    run_golden.py --bin build/ci/bin tests/golden/*.golden      compare
    run_golden.py --bin build/ci/bin --update tests/golden/...  rewrite the expectations; review the diff

`...` inside an expected line stands for anything. Every file runs in an empty folder of its own; $DATA is the
repository's data folder, $WHEEL the published wheel (PERFATLAS_WHEEL, else the one tools/get_wheel.sh fetched). A file
that names $WHEEL is skipped without one. A line `# text` before a command is a comment.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent.parent / "data"
SKIPPED = 77  # exit code: every file needed the wheel


def published_wheel():
    named = os.environ.get("PERFATLAS_WHEEL")
    found = sorted((DATA.parent / "build/wheel").glob("*.whl"))
    return named if named is not None else str(found[0]) if found else ""


def parse(path):
    """[(command, [expected lines], exit code)] and the comment lines before each command."""
    cases, comments = [], []
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            cases.append({"comments": comments, "command": line[2:], "expected": [], "exit": 0})
            comments = []
        elif re.fullmatch(r"exit \d+", line) and cases:
            cases[-1]["exit"] = int(line[5:])
        elif line.startswith("#") or (not line and (not cases or comments)):
            comments.append(line)
        elif cases:
            cases[-1]["expected"].append(line)
    for case in cases:
        while case["expected"] and not case["expected"][-1]:
            case["expected"].pop()
    return cases


def run(command, folder, bin_dir):
    env = dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", DATA=str(DATA), WHEEL=published_wheel(),
               HOME=str(folder), COLUMNS="200")
    for name in ("PERFATLAS_DATA", "XDG_DATA_HOME", "PERFATLAS_WORKER_PATH"):
        env.pop(name, None)
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    output = done.stdout.replace(str(DATA), "$DATA").replace(str(folder), "$PWD")
    lines = output.splitlines()
    while lines and not lines[-1]:
        lines.pop()
    return lines, done.returncode


def matches(expected, line):
    return re.fullmatch(".*".join(re.escape(part) for part in expected.split("...")), line) is not None


def compare(case, lines, code):
    if code != case["exit"]:
        return f"exit code {code}, expected {case['exit']}"
    for number, (want, got) in enumerate(zip(case["expected"], lines), 1):
        if not matches(want, got):
            return f"line {number}:\n    expected: {want}\n    got:      {got}"
    if len(lines) != len(case["expected"]):
        return f"{len(lines)} lines, expected {len(case['expected'])}"
    return None


def check_file(path, bin_dir, update):
    cases, failures = parse(path), 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            lines, code = run(case["command"], Path(folder), bin_dir)
            problem = compare(case, lines, code)
            if problem and update:
                case["expected"], case["exit"] = lines, code
            elif problem:
                failures += 1
                print(f"{path.name}: $ {case['command']}\n  {problem}\n  whole output:")
                print("\n".join("    " + line for line in lines[:60]))
    if update:
        text = ""
        for case in cases:
            text += "".join(c + "\n" for c in case["comments"]) + f"$ {case['command']}\n"
            text += "".join(e + "\n" for e in case["expected"]) + (f"exit {case['exit']}\n" if case["exit"] else "") + "\n"
        path.write_text(text.rstrip("\n") + "\n")
    return len(cases), failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("files", nargs="+", type=Path)
    args = parser.parse_args()
    total = failed = 0
    files = [path for path in args.files if published_wheel() or "$WHEEL" not in path.read_text()]
    if not files:
        print("skipped: no published wheel; run tools/get_wheel.sh or set PERFATLAS_WHEEL")
        return SKIPPED
    for path in files:
        cases, failures = check_file(path, args.bin.resolve(), args.update)
        if not cases:
            print(f"{path}: no cases")
            failed += 1
        total, failed = total + cases, failed + failures
    print(f"{total} commands, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
