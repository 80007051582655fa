#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the cases of ggml's own test suite into ours, for the ops that both have.

    for op in MUL_MAT MUL_MAT_ID FLASH_ATTN_EXT RMS_NORM GET_ROWS ROPE SWIGLU GEGLU; do
      test-backend-ops support --output csv -b CPU -o $op
    done | tests/ggml/peer_cases.py >tests/ggml/peer_cases.txt

Only shapes are taken. Left out: types that we do not have, strides, broadcasts, sinks and biases, and what takes the
naive references more than some hundredths of a second.
"""

import csv
import re
import sys

TYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "q8_0": "q8_0", "q4_0": "q4_0", "q4_K": "q4_K",
         "q6_K": "q6_K"}
PLAIN = {"f32", "f16", "bf16"}
BLOCK = {"q8_0": 32, "q4_0": 32, "q4_K": 256, "q6_K": 256}
MOST_FLOPS = 1.5e7
MOST_COSTLY_FLOPS = 4e6  # of ops that are checked in more ways or have more content to make


def numbers(text):
    return [int(n) for n in text.strip("[]").split(",")]


def fields(parameters):
    return dict(re.findall(r"(\w+)=(\[[^\]]*\]|[^,]*)", parameters))


def neutral(p, **expected):
    """Whether every parameter that there is has the value that changes nothing."""
    return all(p.get(name, value) == value for name, value in expected.items())


def gemm(p):
    m, n, k = int(p["n"]), int(p["m"]), int(p["k"])
    plain = neutral(p, type_b="f32", bs="[1,1]", nr="[1,1]", per="[0,1,2,3]", k_v="0", o="1", src_overlap="0", m_v="0",
                    pad="0")
    if plain and p["type_a"] in TYPES and 2 * m * n * k <= MOST_FLOPS:
        return f"gemm gemm_dtype={TYPES[p['type_a']]} m={m} n={n} k={k}"


def moe(p):
    """Their single product, with as many features on the way back."""
    tokens, hidden, inter, used, experts = (int(p[name]) for name in ("n", "k", "m", "n_used", "n_mats"))
    block = BLOCK.get(p["type_a"], 1)
    fits = inter % block == 0 and hidden % block == 0 and used <= experts and tokens > 0
    # The reference builds every expert's matrices, whether a token chose it or not.
    cost = 6 * hidden * inter * max(tokens * used, experts)
    if fits and neutral(p, type_b="f32", m_v="0") and p["type_a"] in TYPES and cost <= MOST_COSTLY_FLOPS:
        return (f"moe moe_dtype={TYPES[p['type_a']]} num_tokens={tokens} hidden_size={hidden} inter_size={inter} "
                f"topk={used} num_experts={experts} moe_tp_size=1 moe_ep_size=1 distribution=balanced gated=true")


def attention(p):
    (group, batch), kv, new, heads, width = numbers(p["nr23"]), int(p["kv"]), int(p["nb"]), int(p["nh"]), int(p["hsk"])
    same = p["hsk"] == p["hsv"] and p["type_K"] == p["type_V"] and kv >= new
    plain = neutral(p, mask="1", sinks="0", max_bias="0.000000", logit_softcap="0.000000", v_is_view_of_k="0")
    kind = p["type_K"]
    if not (same and plain and kind in PLAIN | {"q8_0"} and width % BLOCK.get(kind, 1) == 0):
        return None
    if 4 * batch * heads * group * width * new * kv > MOST_COSTLY_FLOPS:
        return None
    op = "attention_generation" if new == 1 else "attention_context"
    dtype = "float32" if kind == "f32" else "float16"
    return (f"{op} batch_size={batch} isl={new} num_heads={heads * group} num_key_value_heads={heads} head_dim={width} "
            f"window_size=0 beam_width=1 attn_dtype={dtype} kv_cache_dtype={TYPES[kind]} step={kv - new}")


def rms_norm(p):
    n, *rows = numbers(p["ne"])
    return f"rms_norm dtype={TYPES[p['type']]} num_tokens={rows[0] * rows[1] * rows[2]} hidden_size={n}"


def embedding(p):
    tokens, hidden, vocab = int(p["r"]) * int(p["be1"]), int(p["n"]), int(p["m"])
    if p["type"] in PLAIN and neutral(p, be2="1", v="0", vs0="0", offset_cols="0") and hidden * vocab <= 1e6:
        return (f"embedding dtype={TYPES[p['type']]} num_tokens={tokens} hidden_size={hidden} vocab_size={vocab}")


def rope(p):
    """NeoX pairs; as float16, because ggml's float32 angles of large positions are less exact than float32 itself."""
    width, heads, *tokens = numbers(p["ne_a"])
    if neutral(p, mode="2", fs="1.000000", ef="0.000000", af="1.000000", ff="0", v="0", n_offs="0"):
        return (f"rope dtype=float16 num_tokens={tokens[0] * tokens[1]} num_heads={heads} num_key_value_heads={heads} "
                f"head_dim={width} rotary_dim={p['n_dims']} rotary_offset=0 max_position={p['n_ctx']}")


def gated(kind):
    def convert(p):
        both, first, second, third = numbers(p["ne_a"])
        if both % 2 == 0 and neutral(p, v="0", swapped="0"):
            dtype = "float16" if kind == "gelu_mul" else TYPES[p["type"]]  # GELU comes out of a table of float16
            return f"activation kind={kind} dtype={dtype} num_tokens={first * second * third} inter_size={both // 2}"
    return convert


CONVERT = {"MUL_MAT": gemm, "MUL_MAT_ID": moe, "FLASH_ATTN_EXT": attention, "RMS_NORM": rms_norm, "GET_ROWS": embedding,
           "ROPE": rope, "SWIGLU": gated("silu_mul"), "GEGLU": gated("gelu_mul")}


def main():
    cases = {}
    for row in csv.reader(sys.stdin):
        if len(row) > 2 and row[1] in CONVERT:
            case = CONVERT[row[1]](fields(row[2]))
            if case:
                cases[case] = True
    print("# Shapes of ggml's test suite (test-backend-ops) as cases of ours; written by peer_cases.py.")
    print("\n".join(cases))


if __name__ == "__main__":
    sys.exit(main())
