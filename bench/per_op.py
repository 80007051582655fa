#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures per op of collections: speed of collecting, quality of rows, best efficiency.

    bench/per_op.py COLLECTION...        prints a Markdown table, from the journals

measuring: share of the cases' wall time that lies in timed samples (warm-ups and preparation do not count); of the cases
of 1 ms and more in brackets. not quiet: share of rows that the stopping rule ended by time or count. again: deviation of
the collections' own re-runs, median and 95th percentile.
"""
import collections
import glob
import json
import sys


class Op:
    def __init__(self):
        self.rows = self.not_quiet = 0
        self.wall_s = self.timed_s = self.long_wall_s = self.long_timed_s = 0.0
        self.best = None
        self.again = []

    def add(self, record):
        self.rows += 1
        self.not_quiet += record["stop"] != "quiet"
        timed_s = (sum(record["samples_ms"]) + sum(record.get("discarded_ms", []))) * record["launches_per_sample"] / 1e3
        self.wall_s += record["duration_s"]
        self.timed_s += timed_s
        if min(record["samples_ms"]) >= 1:
            self.long_wall_s += record["duration_s"]
            self.long_timed_s += timed_s
        efficiency = record["row"].get("efficiency")
        if efficiency is not None and not record.get("suspect") and efficiency > (self.best or (0,))[0]:
            self.best = (efficiency, record["case"])


def records(folder):
    for path in sorted(glob.glob(f"{folder}/journal-*.jsonl")):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                try:
                    yield json.loads(line[9:])
                except ValueError:  # a torn line: the journal's own reader reports it
                    continue


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def share(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "-"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    ops = collections.defaultdict(Op)
    for folder in sys.argv[1:]:
        for record in records(folder):
            op = ops[record.get("case", "").split(" ")[0]]
            if record["type"] == "case" and record["outcome"] == "measured":
                op.add(record)
            elif record["type"] == "rerun":
                op.again.append(abs(record["again_ms"] / record["first_ms"] - 1))
    print("| op | rows | cases per minute | measuring (cases >= 1 ms) | not quiet | again p50 / p95 | best efficiency |")
    print("|---|---|---|---|---|---|---|")
    for name, op in sorted(ops.items()):
        if not op.rows:
            continue
        again = (f"{100 * quantile(op.again, 0.5):.1f} / {100 * quantile(op.again, 0.95):.1f} % of {len(op.again)}"
                 if op.again else "-")
        best = f"{100 * op.best[0]:.0f} %: {op.best[1].split(' ', 1)[1]}" if op.best else "-"
        measuring = f"{share(op.timed_s, op.wall_s)} ({share(op.long_timed_s, op.long_wall_s)})"
        print(f"| {name} | {op.rows} | {60 * op.rows / op.wall_s:.0f} | {measuring} | {share(op.not_quiet, op.rows)} | "
              f"{again} | {best} |")


main()
