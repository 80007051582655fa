// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "rope" op. Formula: Su et al., "RoFormer: Enhanced Transformer with Rotary Position
// Embedding", 2021; the two elements of a pair lie half the rotated width apart, as in GPT-NeoX and Llama.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Rotates `rotary_dim` elements of every query and key head in place: with c and s of the token's position and pair i,
/// (a, b) = elements i and i + rotary_dim/2 of the rotated part become (a*c - b*s, b*c + a*s). The rest of the head
/// stays as it is.
///   rotary_offset = 0  Llama and its kin: the first `rotary_dim` elements of heads of `head_dim`, queries and keys.
///   rotary_offset > 0  MLA (head_dim 192, rotary_dim 64, rotary_offset 128): queries are rotated from that element
///                      on; the rotated part of the keys is a buffer of its own, with heads of `rotary_dim`.
struct Rope {
  DType dtype = DType::bf16;
  int64_t tokens = 1;
  int64_t heads = 1;
  int64_t kv_heads = 1;  // 1 for MLA
  int64_t head_dim = 128;
  int64_t rotary_dim = 128;
  int64_t rotary_offset = 0;
  int64_t positions = 8192;
  bool operator==(const Rope&) const = default;

  static constexpr double kTheta = 10000;  // content of the table only; costs nothing to be another one

  static constexpr OpInfo info{
      .id = "rope",
      .table = "rope_perf",
      .op_name = "rope",
      .doc = "Rotary position embedding of queries and keys in place, from a table of cosines and sines.",
      .sol = "num_tokens*(2*rotary_dim*(num_heads + num_key_value_heads)*bytes + 4*rotary_dim + 4) / llc_bw",
  };

  static constexpr auto fields = std::tuple{
      field("dtype", &Rope::dtype, Role::exact, "type of queries and keys"),
      field("num_tokens", &Rope::tokens, Role::axis, "tokens in the step").flagged("tokens"),
      field("num_heads", &Rope::heads, Role::axis, "query heads on this rank").flagged("heads"),
      field("num_key_value_heads", &Rope::kv_heads, Role::exact, "key heads on this rank")
          .flagged("kv_heads"),
      field("head_dim", &Rope::head_dim, Role::exact, "elements per query head"),
      field("rotary_dim", &Rope::rotary_dim, Role::exact, "rotated elements per head; even"),
      field("rotary_offset", &Rope::rotary_offset, Role::exact,
            "elements of a query head before the rotated ones; above 0 the keys are the rotated part alone"),
      field("max_position", &Rope::positions, Role::recorded, "rows of the table of cosines and sines")
          .flagged("positions"),
  };

  static constexpr auto axes = std::array{
      axis<&Rope::heads, Rope>("heads"),
      axis<&Rope::tokens, Rope>("tokens"),
  };

  static constexpr TableLayout layout{
      .why =
          "token-equivalent: every token is rotated by itself, whatever its sequence; positions only choose "
          "the "
          "row of a table that stays warm between layers",
  };

  /// Elements per key head.
  int64_t key_dim() const { return rotary_offset > 0 ? rotary_dim : head_dim; }

  std::string_view why_invalid() const;
  /// A memory op. Elements that are not rotated are not touched; each token reads one row of the table.
  Work work() const;

  /// q[tokens, heads, head_dim] and k[tokens, kv_heads, key_dim()] activations that are updated; cos_sin[positions,
  /// rotary_dim] f32 activation: in row p the cosines, then the sines, of p * kTheta^(-2i / rotary_dim) for pair i;
  /// position[tokens] int32 activation: the row of each token.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Heads, sizes and types of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Rope>& sink);
};
static_assert(Operation<Rope>);

}  // namespace perfatlas
