# SPDX-License-Identifier: Apache-2.0
"""Recomputes the expert layer in numpy, from the papers, and compares it with the reference of the op `moe`.

Written from the formulas, not from the C++: top-k gating of N. Shazeer et al., "Outrageously large neural networks: the
sparsely-gated mixture-of-experts layer" (2017), eq. 2-5 (everything but the k largest logits becomes -infinity, then
softmax), experts and their sum of A. Jiang et al., "Mixtral of experts" (2024), section 2.1 (SwiGLU), squared ReLU of
D. So et al., "Primer" (2021).

Usage: check_moe.py DUMP_REFERENCE
"""
import json
import subprocess
import sys

import numpy

CASES = [
    "moe dtype=float32 tokens=9 hidden=24 inter=20 topk=3 experts=8",
    "moe dtype=float32 tokens=30 hidden=16 inter=12 topk=2 experts=8 ep=4 distribution=power_law_1.2",
    "moe dtype=bfloat16 tokens=12 hidden=40 inter=32 topk=2 experts=6 tp=2 ep=2 distribution=power_law_1.01_eplb",
    "moe dtype=float32 tokens=7 hidden=24 inter=20 topk=4 experts=8 gated=false",
]


def gates(logits, k):
    """G(x) of Shazeer et al., eq. 3 and 5, without noise; the first of equal logits counts as larger."""
    order = numpy.argsort(-logits, axis=1, kind="stable")
    kept = numpy.full_like(logits, -numpy.inf)
    numpy.put_along_axis(kept, order[:, :k], numpy.take_along_axis(logits, order[:, :k], 1), 1)
    exponentials = numpy.exp(kept - kept.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def expert(x, w_in, w_out):
    """All tokens through one expert; w_in holds gate and up, or up alone."""
    projected = [x @ matrix.T for matrix in w_in]
    if len(projected) == 2:
        gate, up = projected
        middle = gate / (1 + numpy.exp(-gate)) * up
    else:
        middle = numpy.maximum(projected[0], 0) ** 2
    return middle @ w_out.T


def check(program, case, seed):
    printed = subprocess.run([program, case, str(seed)], check=True, capture_output=True, text=True).stdout
    operands = {o["name"]: o for o in json.loads(printed)["operands"]}
    value = {
        name: numpy.array(o["after" if name == "out" else "before"], dtype=numpy.float64).reshape(o["shape"])
        for name, o in operands.items()
    }
    topk = int(next(word for word in case.split() if word.startswith("topk=")).removeprefix("topk="))
    weights = gates(value["logits"], topk)
    expected = sum(
        weights[:, e : e + 1] * expert(value["x"], value["w13"][e], value["w2"][e]) for e in range(len(value["w2"]))
    )
    error = numpy.linalg.norm(value["out"] - expected) / numpy.linalg.norm(expected)
    print(f"{case}: relative L2 error {error:.1e}")
    return error < 1e-6  # both sum in double precision; the reference hands its result over in single


def main():
    ok = [check(sys.argv[1], case, seed) for seed, case in enumerate(CASES, 1)]
    sys.exit(0 if ok and all(ok) else 1)


if __name__ == "__main__":
    main()
