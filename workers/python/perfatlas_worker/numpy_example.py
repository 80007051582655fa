# SPDX-License-Identifier: Apache-2.0
"""The smallest back end: NumPy. docs/adding-a-backend.md walks through this file.

A kernel is a function that gets the case and, by name, one tensor per operand of the op (perfatlas ops OP lists them).
It prepares what need not be timed and returns the function that is.
"""
import numpy as np

from .framework import Case, Framework

PAGE_TOKENS = 64  # of the paged KV cache

FRAMEWORK = Framework("numpy", np.__version__)


def floats_only(case: Case) -> str:
    """NumPy has no bfloat16 and no fp8."""
    strange = {o.dtype for o in case.operands} - {"float32", "float16", "int32"}
    return f"NumPy has no type {', '.join(sorted(strange))}" if strange else ""


@FRAMEWORK.kernel("gemm", "numpy_matmul", floats_only)
def matmul(_case, a, w, d):
    return lambda: np.matmul(a, w.T, out=d)


@FRAMEWORK.kernel("add_rms_norm", "numpy_add_rms_norm", floats_only)
def add_rms_norm(_case, x, residual, w, out):
    def launch():
        np.add(residual, x, out=residual)
        squares = np.mean(np.square(residual, dtype=np.float32), axis=-1, keepdims=True)
        out[:] = residual / np.sqrt(squares + 1e-6) * w

    return launch


@FRAMEWORK.kernel("attention_generation", "numpy_paged_attention", floats_only)
@FRAMEWORK.kernel("attention_context", "numpy_paged_attention", floats_only)
def attention(case, q, k, v, k_cache, v_cache, page_table, out):
    batch, isl, step, window = (case.number(name) for name in ("batch_size", "isl", "step", "window_size"))
    tokens, heads, head_dim = q.shape
    kv_heads = k.shape[1]
    length, new = step + isl, tokens // batch
    # Where each new token's key and value go: page and place in the page, by sequence and position.
    position = np.arange(step, length)
    pages, places = page_table[:, position // PAGE_TOKENS].reshape(-1), np.tile(position % PAGE_TOKENS, batch)
    seen = np.arange(length)[None, :] <= position[:, None]
    if window:
        seen &= np.arange(length)[None, :] > position[:, None] - window

    def cached(cache, sequence):  # [kv_heads, length, head_dim]
        return cache[page_table[sequence]].swapaxes(0, 1).reshape(kv_heads, -1, head_dim)[:, :length]

    def launch():
        k_cache[pages, :, places] = k
        v_cache[pages, :, places] = v
        for sequence in range(batch):
            rows = slice(sequence * new, (sequence + 1) * new)
            # [kv_heads, heads per kv head, new, head_dim]
            queries = q[rows].swapaxes(0, 1).reshape(kv_heads, heads // kv_heads, new, head_dim)
            keys, values = cached(k_cache, sequence)[:, None], cached(v_cache, sequence)[:, None]
            scores = np.where(seen, queries @ keys.swapaxes(-1, -2) / np.sqrt(head_dim), -np.inf).astype(np.float32)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            result = (weights / weights.sum(-1, keepdims=True)).astype(q.dtype) @ values
            out[rows] = result.reshape(heads, new, head_dim).swapaxes(0, 1)

    return launch
