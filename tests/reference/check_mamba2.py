# SPDX-License-Identifier: Apache-2.0
"""Mamba-2 references against the quadratic form of state space duality, and against one step of the recurrence."""
import sys

import numpy as np
from linear_attention import check_convolution, dumped, expect_close

SHAPE = "d_model=64 d_state=12 d_conv=4 heads=6 head_dim=5 groups=3 chunk=8"


def case(kernel, phase, batch, seq):
    return f"mamba2 sub_kernel={kernel} phase={phase} batch={batch} seq={seq} tokens={batch * seq} {SHAPE}"


def per_head(operands, name, heads):
    """b or c of every head: groups are shared."""
    groups = operands[name].shape[2]
    return np.repeat(operands[name], heads // groups, axis=2)


def step_sizes(operands):
    return np.logaddexp(0, operands["dt"] + operands["dt_bias"]), operands["a"]


def check_scan(program, batch, seq, seed):
    what = case("mamba_chunk_scan_combined", "context", batch, seq)
    before, after = dumped(program, what, seed)
    x, heads = before["x"], before["x"].shape[2]
    b, c = per_head(before, "b", heads), per_head(before, "c", heads)
    dt, a = step_sizes(before)
    y, state = np.zeros_like(x), np.zeros_like(before["state"])
    for sequence in range(batch):
        for head in range(heads):
            # Section 3: y = (L * (C B^T)) (dt x), L[t, u] = exp(sum of dt A from u + 1 to t) for u <= t.
            decay = np.cumsum(dt[sequence, :, head] * a[head])
            mask = np.tril(np.exp(np.minimum(decay[:, None] - decay[None, :], 0)))
            scores = c[sequence, :, head] @ b[sequence, :, head].T
            scaled = dt[sequence, :, head, None] * x[sequence, :, head]
            y[sequence, :, head] = (mask * scores) @ scaled + before["d"][head] * x[sequence, :, head]
            left = np.exp(decay[-1] - decay)[:, None] * b[sequence, :, head]
            state[sequence, head] = scaled.T @ left
    expect_close(f"{what}: y", after["y"], y)
    expect_close(f"{what}: state", after["state"], state)


def check_update(program, batch, seed):
    what = case("selective_state_update", "generation", batch, 1)
    before, after = dumped(program, what, seed)
    x, heads = before["x"][:, 0], before["x"].shape[2]
    b, c = per_head(before, "b", heads)[:, 0], per_head(before, "c", heads)[:, 0]
    dt, a = step_sizes(before)
    dt = dt[:, 0]
    state = np.exp(dt * a)[..., None, None] * before["state"] + np.einsum("bh,bhp,bhn->bhpn", dt, x, b)
    y = np.einsum("bhn,bhpn->bhp", c, state) + before["d"][:, None] * x
    expect_close(f"{what}: y", after["y"][:, 0], y)
    expect_close(f"{what}: state", after["state"], state)


def main(program):
    for seed, (batch, seq) in enumerate([(1, 1), (2, 3), (1, 40)]):
        check_scan(program, batch, seq, seed)
        check_convolution(program, case("causal_conv1d_fn", "context", batch, seq), seed, True)
    for batch in (1, 3):
        check_update(program, batch, batch)
        check_convolution(program, case("causal_conv1d_update", "generation", batch, 1), batch, False)
    print("mamba2: 10 cases agree with numpy")


main(sys.argv[1])
