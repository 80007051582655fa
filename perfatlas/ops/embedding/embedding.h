// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "embedding" op: the first op of a step. Published tables have none of it: there it is a
// formula over the bytes it moves.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// out[t] = table[ids[t]]: one row per token from the rows of this rank's part of the vocabulary.
struct Embedding {
  DType dtype = DType::bf16;
  int64_t tokens = 1;
  int64_t hidden = 1;
  int64_t vocab = 1;
  bool operator==(const Embedding&) const = default;

  static constexpr OpInfo info{
      .id = "embedding",
      .table = "embedding_perf",
      .op_name = "embedding",
      .doc = "Gathers one row of the embedding table per token.",
      .sol =
          "max(min(num_tokens, vocab_size)*hidden_size*bytes / memory_bw, "
          "num_tokens*(hidden_size*bytes + 4) / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("dtype", &Embedding::dtype, Role::exact, "type of the table"),
      field("num_tokens", &Embedding::tokens, Role::axis, "tokens in the step").flagged("tokens"),
      field("hidden_size", &Embedding::hidden, Role::axis, "elements per row").flagged("hidden"),
      field("vocab_size", &Embedding::vocab, Role::recorded, "rows of the table on this rank")
          .flagged("vocab"),
  };

  static constexpr auto axes = std::array{
      axis<&Embedding::hidden, Embedding>("hidden"),
      axis<&Embedding::tokens, Embedding>("tokens"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 1,
      .why =
          "token-equivalent: each token reads one row wherever it is; the rest of the table is not touched, "
          "so its "
          "size is recorded only; hidden sizes are those of models and lie scattered",
  };

  std::string_view why_invalid() const;
  /// A memory op: rows come from memory (weights) and go to a cache.
  Work work() const;

  /// ids[tokens] int32 activation, evenly distributed over the vocabulary; table[vocab, hidden] weight; out[tokens,
  /// hidden] output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Sizes and types of the models at every rung of the token ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<Embedding>& sink);
};
static_assert(Operation<Embedding>);

}  // namespace perfatlas
