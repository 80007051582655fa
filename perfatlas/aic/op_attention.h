// SPDX-License-Identifier: Apache-2.0
// Attention with a KV cache per head, and attention of vision encoders.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// Prefill. Heads are those of this rank.
struct ContextAttention : OpBase {
  static constexpr OpClasses<1> kClasses{"ContextAttention"};
  int64_t n = 0, n_kv = 0;
  int64_t head_size = 128;
  int64_t window_size = 0;  // 0: none
  QuantMode kv_quant = QuantMode::bfloat16;
  QuantMode fmha_quant = QuantMode::bfloat16;
  bool use_qk_norm = false;
  int64_t cp_size = 1;            // context-parallel ranks, zig-zag: a head and a tail chunk each
  std::string attention_backend;  // kernels to prefer, by a serving framework's name; empty: its default

  static void fields(auto& op, auto& f) {
    f.required("n", op.n);
    f.required("n_kv", op.n_kv);
    f.optional("head_size", op.head_size);
    f.optional("window_size", op.window_size);
    f.required("kvcache_quant_mode", op.kv_quant, QuantKind::kv);
    f.required("fmha_quant_mode", op.fmha_quant, QuantKind::fmha);
    f.optional("use_qk_norm", op.use_qk_norm);
    f.optional("cp_size", op.cp_size);
    f.optional("attention_backend", op.attention_backend);
  }
  bool operator==(const ContextAttention&) const = default;
};

/// Decode.
struct GenerationAttention : OpBase {
  static constexpr OpClasses<1> kClasses{"GenerationAttention"};
  int64_t n = 0, n_kv = 0;
  int64_t head_size = 128;
  int64_t window_size = 0;
  QuantMode kv_quant = QuantMode::bfloat16;
  std::string attention_backend;

  static void fields(auto& op, auto& f) {
    f.required("n", op.n);
    f.required("n_kv", op.n_kv);
    f.optional("head_size", op.head_size);
    f.optional("window_size", op.window_size);
    f.required("kv_cache_dtype", op.kv_quant, QuantKind::kv);
    f.ignored("use_qk_norm");
    f.optional("attention_backend", op.attention_backend);
  }
  bool operator==(const GenerationAttention&) const = default;
};

/// Bidirectional, no cache.
struct EncoderAttention : OpBase {
  static constexpr OpClasses<1> kClasses{"EncoderAttention"};
  int64_t n = 0;
  int64_t head_size = 64;
  QuantMode fmha_quant = QuantMode::bfloat16;
  double partial_rotary_factor = 0;  // share of the head that is rotated in a kernel of its own; 0: none

  static void fields(auto& op, auto& f) {
    f.required("num_heads", op.n);
    f.required("head_size", op.head_size);
    f.optional("fmha_quant_mode", op.fmha_quant, QuantKind::encoder);
    f.optional("partial_rotary_factor", op.partial_rotary_factor);
  }
  bool operator==(const EncoderAttention&) const = default;
};

}  // namespace perfatlas::aic
