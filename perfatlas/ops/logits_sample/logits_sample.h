// SPDX-License-Identifier: Apache-2.0
// The whole definition of the "logits_sample" op: the last op of a step. Nucleus sampling: Holtzman et al., "The
// Curious Case of Neural Text Degeneration", 2020; top-k: Fan et al., "Hierarchical Neural Story Generation", 2018.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Draws one token per request. The topk largest logits stay, in descending order (of equal ones the smaller id comes
/// first); of these the shortest prefix whose softmax mass is at least top_p; of these the first one at which the
/// running mass exceeds u times the prefix's mass. topk = 1 is greedy decoding, topk = vocab samples by top_p alone.
struct LogitsSample {
  DType dtype = DType::f32;
  int64_t batch = 1;
  int64_t vocab = 1;
  int64_t topk = 1;
  bool operator==(const LogitsSample&) const = default;

  static constexpr OpInfo info{
      .id = "logits_sample",
      .table = "logits_sample_perf",
      .op_name = "logits_sample",
      .doc = "Top-k and top-p sampling of one token per request from its logits.",
      .sol = "batch_size*(vocab_size*bytes + 12) / llc_bw",
  };

  static constexpr auto fields = std::tuple{
      field("dtype", &LogitsSample::dtype, Role::exact, "type of the logits"),
      field("batch_size", &LogitsSample::batch, Role::axis, "requests in the step").flagged("batch"),
      field("vocab_size", &LogitsSample::vocab, Role::axis, "logits per request").flagged("vocab"),
      field("topk", &LogitsSample::topk, Role::exact, "largest logits kept; 1: greedy"),
  };

  static constexpr auto axes = std::array{
      axis<&LogitsSample::vocab, LogitsSample>("vocab"),
      axis<&LogitsSample::batch, LogitsSample>("batch"),
  };

  static constexpr TableLayout layout{
      .resolver = Resolver::sites,
      .site_axes = 1,
      .why =
          "works per request, not per token: a prompt of any length leaves one row of logits; rows are "
          "independent, "
          "and vocabularies are those of models and lie scattered",
  };

  std::string_view why_invalid() const;
  /// A memory op: every logit is read once, left warm by the projection before.
  Work work() const;

  /// logits[batch, vocab] activation; top_p[batch] f32 in [0.5, 1) and u[batch] f32 in [0, 1) activations; id[batch]
  /// int32 output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Types, vocabularies and topk of the models at every rung of the batch ladder.
  static void model_cases(const ModelShapes& shapes, const CaseSink<LogitsSample>& sink);
};
static_assert(Operation<LogitsSample>);

}  // namespace perfatlas
