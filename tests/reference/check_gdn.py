# SPDX-License-Identifier: Apache-2.0
"""Gated delta network references against the product form of the paper, S = S alpha (I - beta k k^T) + beta v k^T, and
against the triangular system of the chunked form."""
import sys

import numpy as np
from linear_attention import check_convolution, dumped, expect_close

SHAPE = "d_model=64 d_conv=4 k_heads=2 k_dim=6 v_heads=4 v_dim=5"


def case(kernel, phase, batch, seq):
    return f"gdn sub_kernel={kernel} phase={phase} batch={batch} seq={seq} tokens={batch * seq} {SHAPE}"


def unit(rows):
    return rows / np.sqrt(np.sum(rows * rows, axis=-1, keepdims=True) + 1e-6)


def product_form(q, k, v, g, beta, state):
    """Equation 10, with S as v_dim x k_dim. Returns o and the state, k_dim x v_dim."""
    s = state.T.copy()
    out = np.zeros_like(v)
    for t in range(len(q)):
        transition = np.exp(g[t]) * (np.eye(k.shape[1]) - beta[t] * np.outer(k[t], k[t]))
        s = s @ transition + beta[t] * np.outer(v[t], k[t])
        out[t] = s @ q[t] / np.sqrt(k.shape[1])
    return out, s.T


def chunked_form(q, k, v, g, beta):
    """One chunk from an empty state: (I + tril(diag(beta) (L * k k^T), -1)) w = diag(beta) v."""
    decay = np.cumsum(g)
    mask = np.tril(np.exp(np.minimum(decay[:, None] - decay[None, :], 0)))
    system = np.eye(len(q)) + np.tril(beta[:, None] * mask * (k @ k.T), -1)
    w = np.linalg.solve(system, beta[:, None] * v)
    out = (mask * (q @ k.T)) @ w / np.sqrt(k.shape[1])
    return out, (np.exp(decay[-1] - decay)[:, None] * k).T @ w


def check_rule(program, what, seed, context):
    before, after = dumped(program, what, seed)
    q, k = unit(before["q"]), unit(before["k"])
    heads, shared = before["v"].shape[2], before["v"].shape[2] // before["q"].shape[2]
    assert np.all(before["g"] <= 0) and np.all((before["beta"] >= 0) & (before["beta"] <= 1))
    for sequence in range(q.shape[0]):
        for head in range(heads):
            inputs = (q[sequence, :, head // shared], k[sequence, :, head // shared], before["v"][sequence, :, head],
                      before["g"][sequence, :, head], before["beta"][sequence, :, head])
            state = before["state"][sequence, head] * (0 if context else 1)
            forms = [product_form(*inputs, state)] + ([chunked_form(*inputs)] if context else [])
            for out, last in forms:
                expect_close(f"{what}: o", after["o"][sequence, :, head], out)
                expect_close(f"{what}: state", after["state"][sequence, head], last)


def main(program):
    for seed, (batch, seq) in enumerate([(1, 1), (2, 3), (1, 40)]):
        check_rule(program, case("chunk_gated_delta_rule", "context", batch, seq), seed, True)
        check_convolution(program, case("causal_conv1d_fn", "context", batch, seq), seed, True)
    for batch in (1, 3):
        check_rule(program, case("fused_recurrent_gated_delta_rule", "generation", batch, 1), batch, False)
        check_convolution(program, case("causal_conv1d_update", "generation", batch, 1), batch, False)
    print("gdn: 10 cases agree with numpy")


main(sys.argv[1])
