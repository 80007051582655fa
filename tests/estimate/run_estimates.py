#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `perfatlas estimate` with recorded answers of aiconfigurator 0.12 (estimates.jsonl.gz).

Needs the published tables (the aiconfigurator-core 0.12.0 wheel). Exits with 77, which ctest shows as skipped, when
there are none.
"""
import argparse
import glob
import gzip
import json
import os
import subprocess
import sys

TOLERANCE = 1e-6
# Ours alone: an aggregated worker of the reference has no such factor.
NOT_COMPARED = {"mix_efficiency"}


def published_wheel(root):
    named = os.environ.get("PERFATLAS_WHEEL", "")
    found = sorted(glob.glob(os.path.join(root, "build", "wheel", "*.whl")))
    return named or (found[-1] if found else "")


def differs(expected, got):
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        if not isinstance(got, (int, float)):
            return True
        return abs(expected - got) > TOLERANCE * max(abs(expected), abs(got))
    return expected != got


def compare(where, expected, got, out):
    if isinstance(expected, dict):
        for key, value in expected.items():
            if key in NOT_COMPARED:
                continue
            if not isinstance(got, dict) or key not in got:
                out.append(f"{where}.{key}: missing")
            else:
                compare(f"{where}.{key}", value, got[key], out)
    elif differs(expected, got):
        out.append(f"{where}: expected {expected}, got {got}")


def check(record, got):
    """What differs, one line each."""
    out = []
    for key in ("version", "ttft", "tpot", "power_w"):
        compare(key, record[key], got[key], out)
    compare("columns", record["columns"], got["columns"], out)
    if record.get("memory_breakdown"):
        compare("memory", record["memory_breakdown"], got["memory"]["worker"], out)
    expected = dict(record["per_ops"] or {})
    if "scheduling" in expected:
        compare("scheduling", expected.pop("scheduling"), got["scheduling"], out)
    for phase in ("context", "generation"):
        if record.get(f"get_{phase}_latency_dict"):
            expected[phase] = record[f"get_{phase}_latency_dict"]
    compare("per_ops", expected, got["per_ops"], out)
    compare("source", record["per_ops_source"] or {}, got["per_ops_source"], out)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--wheel", help="default: PERFATLAS_WHEEL, else the one that tools/get_wheel.sh fetched")
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."), help="the source tree")
    parser.add_argument("--records", default=os.path.join(os.path.dirname(__file__), "estimates.jsonl.gz"))
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    wheel = args.wheel or published_wheel(args.root)
    if not wheel:
        print("skipped: no published tables; run tools/get_wheel.sh or set PERFATLAS_WHEEL")
        return 77
    with gzip.open(args.records, "rt") as lines:
        records = [json.loads(line) for line in lines]
    requests = "".join(json.dumps(record["args"]) + "\n" for record in records)
    command = [os.path.join(args.bin, "perfatlas"), "estimate", "--jsonl", "-", "--systems-path", wheel]
    run = subprocess.run(command, input=requests, capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if len(answers) != len(records):
        print(f"{len(answers)} answers to {len(records)} requests; {run.stderr.strip()}")
        return 1
    failed = 0
    for record, answer in zip(records, answers):
        if not record["ok"]:
            problems = [] if "error" in answer else [f"expected an error: {record['error']}"]
        elif "error" in answer:
            problems = [answer["error"]]
        else:
            problems = check(record, answer)
        if problems:
            failed += 1
            print(f"{record['id']}: {len(problems)} differences")
            for line in problems if args.verbose else problems[:5]:
                print("   ", line)
    print(f"{len(records) - failed} of {len(records)} estimates agree within {TOLERANCE}")
    return 1 if failed or not records else 0


if __name__ == "__main__":
    sys.exit(main())
