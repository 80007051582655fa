// SPDX-License-Identifier: Apache-2.0
// Ops whose time is memory traffic alone; all but Quantize have no tables.
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

struct Embedding : OpBase {
  static constexpr OpClasses<1> kClasses{"Embedding"};
  int64_t vocab_size = 0;  // rows on this rank
  int64_t hidden_size = 0;
  QuantMode quant = QuantMode::bfloat16;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("row_size", op.vocab_size);
    f.required("column_size", op.hidden_size);
    f.ignored("empirical_bw_scaling_factor");
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const Embedding&) const = default;
};

/// Normalisation, activation, residual: bytes_per_token = 2 * inputs + 2 * outputs at 16 bits.
struct ElementWise : OpBase {
  static constexpr OpClasses<1> kClasses{"ElementWise"};
  double bytes_per_token = 0;
  int64_t scale_num_tokens = 1;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.optional("bytes_per_token", op.bytes_per_token);
    f.ignored("empirical_bw_scaling_factor");
    f.optional("scale_num_tokens", op.scale_num_tokens);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const ElementWise&) const = default;
};

/// One pass of quantising activations of k features to 8-bit floats (ops/quantize): what a static quantisation saves
/// of a linear layer, not a layer by itself.
struct Quantize : OpBase {
  static constexpr OpClasses<2> kClasses{"ComputeScale", "ScaleMatrix"};
  enum class Pass { find_scale, apply_scale };
  Pass pass = Pass::find_scale;
  int64_t k = 0;

  size_t class_place() const { return pass == Pass::find_scale ? 0 : 1; }
  void take_class(size_t place) { pass = place == 0 ? Pass::find_scale : Pass::apply_scale; }

  static void fields(auto& op, auto& f) { f.required("k", op.k); }
  bool operator==(const Quantize&) const = default;
};

}  // namespace perfatlas::aic
