#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a GGUF file with random weights in the shape of a Qwen3 or Qwen3-MoE config.json, for llama.cpp's server.

usage: bench/random_gguf.py q8_0|q4_0 config.json OUT.gguf        (needs the packages gguf and numpy)

Weights are normally distributed, as those of a trained model nearly are. They start at cache lines, which a file with the
format's usual alignment of 32 bytes leaves to chance where llama.cpp maps it: ggml's products of two to eight rows of
q8_0 are a fifth faster where weights start in the middle of a line.
"""
import json
import sys

import gguf
import numpy

BLOCK = 32  # weights
POOL_BLOCKS = 1 << 18  # quantised once; tensors are drawn from them
DEVIATION = 0.02
ALIGNMENT = 64  # bytes
TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_0": gguf.GGMLQuantizationType.Q4_0}


class RandomModel:
    def __init__(self, kind, config, path):
        self.type = TYPES[kind]
        self.config = config
        self.experts = config.get("num_experts", 0)
        self.random = numpy.random.default_rng(1)
        weights = self.random.normal(0, DEVIATION, (POOL_BLOCKS, BLOCK)).astype(numpy.float32)
        self.pool = gguf.quants.quantize(weights, self.type)
        self.writer = gguf.GGUFWriter(path, "qwen3moe" if self.experts else "qwen3")
        self.writer.add_custom_alignment(ALIGNMENT)

    def matrix(self, name, *shape):
        picks = self.random.integers(0, POOL_BLOCKS, (*shape[:-1], shape[-1] // BLOCK), dtype=numpy.int32)
        blocks = self.pool[picks].reshape(*shape[:-1], -1)
        self.writer.add_tensor(name, blocks, raw_dtype=self.type)

    def ones(self, name, size):
        self.writer.add_tensor(name, numpy.ones(size, numpy.float32))

    def add_metadata(self):
        c, w = self.config, self.writer
        w.add_context_length(c.get("max_position_embeddings", 40960))
        w.add_embedding_length(c["hidden_size"])
        w.add_block_count(c["num_hidden_layers"])
        w.add_feed_forward_length(c["intermediate_size"])
        w.add_head_count(c["num_attention_heads"])
        w.add_head_count_kv(c["num_key_value_heads"])
        w.add_key_length(c["head_dim"])
        w.add_value_length(c["head_dim"])
        w.add_layer_norm_rms_eps(c.get("rms_norm_eps", 1e-6))
        w.add_rope_freq_base(c.get("rope_theta", 1e6))
        if self.experts:
            w.add_expert_count(self.experts)
            w.add_expert_used_count(c["num_experts_per_tok"])
            w.add_expert_feed_forward_length(c["moe_intermediate_size"])

    def add_vocabulary(self):
        size, w = self.config["vocab_size"], self.writer
        tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
        kinds = [2, 3, 3] + [6] * 256  # unknown, control, byte
        tokens += [f"w{i}" for i in range(size - len(tokens))]
        w.add_tokenizer_model("llama")
        w.add_token_list(tokens)
        w.add_token_scores([0.0] * size)
        w.add_token_types(kinds + [1] * (size - len(kinds)))
        w.add_bos_token_id(1)
        w.add_eos_token_id(2)
        w.add_unk_token_id(0)
        w.add_add_bos_token(False)

    def add_layer(self, index):
        c = self.config
        hidden, head = c["hidden_size"], c["head_dim"]
        queries, keys = c["num_attention_heads"] * head, c["num_key_value_heads"] * head
        at = f"blk.{index}."
        for name, size in (("attn_norm", hidden), ("ffn_norm", hidden), ("attn_q_norm", head), ("attn_k_norm", head)):
            self.ones(f"{at}{name}.weight", size)
        self.matrix(at + "attn_q.weight", queries, hidden)
        self.matrix(at + "attn_k.weight", keys, hidden)
        self.matrix(at + "attn_v.weight", keys, hidden)
        self.matrix(at + "attn_output.weight", hidden, queries)
        if not self.experts:
            inner = c["intermediate_size"]
            self.matrix(at + "ffn_gate.weight", inner, hidden)
            self.matrix(at + "ffn_up.weight", inner, hidden)
            self.matrix(at + "ffn_down.weight", hidden, inner)
            return
        inner = c["moe_intermediate_size"]
        router = self.random.normal(0, DEVIATION, (self.experts, hidden)).astype(numpy.float32)
        self.writer.add_tensor(at + "ffn_gate_inp.weight", router)
        self.matrix(at + "ffn_gate_exps.weight", self.experts, inner, hidden)
        self.matrix(at + "ffn_up_exps.weight", self.experts, inner, hidden)
        self.matrix(at + "ffn_down_exps.weight", self.experts, hidden, inner)

    def write(self):
        self.add_metadata()
        self.add_vocabulary()
        self.matrix("token_embd.weight", self.config["vocab_size"], self.config["hidden_size"])
        self.ones("output_norm.weight", self.config["hidden_size"])
        for index in range(self.config["num_hidden_layers"]):
            self.add_layer(index)
        self.writer.write_header_to_file()
        self.writer.write_kv_data_to_file()
        self.writer.write_tensors_to_file()
        self.writer.close()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in TYPES:
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="utf-8") as file:
        config = json.load(file)
    RandomModel(sys.argv[1], config, sys.argv[3]).write()


if __name__ == "__main__":
    main()
