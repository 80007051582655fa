# SPDX-License-Identifier: Apache-2.0
"""What check_mamba2.py and check_gdn.py share: operands of a dumped case, and the short causal convolution.

The formulas are those of the papers, written from them in matrix form where the references of this project go
element by element: Dao and Gu, "Transformers are SSMs", 2024; Yang, Kautz and Hatamizadeh, "Gated Delta Networks",
2024.
"""
import json
import subprocess

import numpy as np


def dumped(program, case, seed):
    """Operands before and after the reference, by name."""
    text = subprocess.run([program, case, str(seed)], check=True, capture_output=True, text=True).stdout
    before, after = {}, {}
    for operand in json.loads(text)["operands"]:
        shape = operand["shape"]
        before[operand["name"]] = np.array(operand["before"], dtype=np.float64).reshape(shape)
        after[operand["name"]] = np.array(operand["after"], dtype=np.float64).reshape(shape)
    return before, after


def expect_close(what, found, expected, tolerance=1e-5):
    """References compute in double precision and store floats."""
    error = np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30)
    assert np.isfinite(error) and error < tolerance, f"{what}: relative error {error:.1e}"


def check_convolution(program, case, seed, context):
    before, after = dumped(program, case, seed)
    x, w, state = before["x"], before["w"], before["conv_state"]
    batch, seq, channels = x.shape
    history = np.zeros_like(state) if context else state
    window = np.concatenate([history, x], axis=1)
    out = np.zeros_like(x)
    for sequence in range(batch):
        for c in range(channels):
            # numpy convolves with the filter turned round, the layer does not.
            out[sequence, :, c] = np.convolve(window[sequence, :, c], w[c, ::-1], mode="valid")
    if "bias" in before:
        out += before["bias"]
    expect_close(f"{case}: out", after["out"], out / (1 + np.exp(-out)))
    expect_close(f"{case}: state", after["conv_state"], window[:, seq:, :])
