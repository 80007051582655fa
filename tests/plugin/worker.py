#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The smallest worker in another language: measures "gemm" by multiplying lists, in a back end named "lists".

    perfatlas collect --backend lists --worker 'python3 worker.py {device}' --ops gemm ...
"""
import json
import os
import sys
import time

LARGEST = 100_000  # products; beyond, this worker says that it cannot


def multiply(m, n, k):
    a, w = [[1.0] * k] * m, [[0.5] * k] * n
    return [[sum(x * y for x, y in zip(row, weights)) for weights in w] for row in a]


def sample(request):
    fields = dict(pair.split("=") for pair in request["case"].split()[1:])
    m, n, k = (int(fields[name]) for name in "mnk")
    if m * n * k > LARGEST:
        return {"answer": "skipped", "reason": f"lists: more than {LARGEST} products"}
    times = []
    for _ in range(request["repetitions"]):
        start = time.perf_counter()
        multiply(m, n, k)
        times.append(1e3 * (time.perf_counter() - start))
    return {"answer": "sample", "kernel_source": "nested_lists", "latency_ms": times, "launches_per_sample": 1,
            "bytes_touched": 0, "cache": request["cache"], "launch": "direct", "launch_note": "", "before": {},
            "after": {}}


def answer(request):
    if request["request"] == "hello":
        return {"answer": "hello", "protocol": 1, "worker": "lists 1.0", "backends": {"lists": "1.0"},
                "device": {"id": sys.argv[1], "name": "Python", "memory_bytes": 1e9, "llc_bytes": 1e6, "versions": {}},
                "kernels": [{"op": "gemm", "name": "nested_lists", "backend": "lists"}]}
    if request["request"] == "sample":
        return sample(request)
    return {"answer": "failed", "error": f"lists: no {request['request']} here"}


def main():
    fds = sys.argv[sys.argv.index("--protocol-fds") + 1].split(",")
    with os.fdopen(int(fds[0])) as requests, os.fdopen(int(fds[1]), "w") as answers:
        print("anything printed goes to the worker's log")
        for line in requests:
            request = json.loads(line)
            answers.write(json.dumps({"id": request["id"], **answer(request)}) + "\n")
            answers.flush()


main()
