// SPDX-License-Identifier: Apache-2.0
// Builds the op list of one phase from the blocks that model families share.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/aic/op.h"
#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/model_sizes.h"

namespace perfatlas::estimate {

enum class Phase { context, generation };

/// Shape of a weight matrix on one rank: y[tokens, n] = x[tokens, k] W.
struct Matrix {
  int64_t n = 0, k = 0;
};

/// What some linear layers have beyond their shape.
struct GemmTraits {
  bool low_precision_input = false;  // the op before it has quantised the input
  bool below_grid_sol = false;       // too small for the tables: priced at its speed of light
  int64_t token_divisor = 1;         // ranks that share the tokens of this layer
};

/// Attention of one rank.
struct AttentionTraits {
  int64_t heads = 0, kv_heads = 0, head_dim = 128;
  int64_t window = 0;  // 0: none
  bool head_norms = false;
};

/// Appends ops in execution order. Names get the phase in front ("context_qkv_gemm"). Counts are layers; in the
/// generation phase they are multiplied by 1 + drafted tokens / layers, the price of draft layers. In the context phase
/// tokens are divided by the context-parallel width where `split_tokens` is set.
class PhaseGraph {
 public:
  PhaseGraph(const ModelSizes& sizes, const Deployment& deployment, Phase phase, bool split_tokens = true);

  bool context() const { return phase_ == Phase::context; }
  const Deployment& deployment() const { return deployment_; }
  const Parallel& ranks() const { return deployment_.parallel; }
  const QuantModes& quant() const { return deployment_.quant; }
  int64_t hidden() const { return sizes_.hidden; }
  const ModelSizes& sizes() const { return sizes_; }
  /// Ranks that share the tokens in this phase.
  int64_t token_split() const { return token_split_; }
  /// cp in the context phase, else 1.
  int64_t context_ranks() const { return context() ? ranks().cp : 1; }

  void embedding(int64_t vocab_rows);
  /// Reads `in` and writes `out` elements of 16 bits per token.
  void elementwise(const std::string& name, double count, int64_t in, int64_t out, int64_t token_divisor = 1);
  /// Residual addition and norm: 2 h in, 2 h out.
  void norm(const std::string& name, double count) { elementwise(name, count, 2 * hidden(), 2 * hidden()); }
  void gemm(const std::string& name, double count, Matrix shape, aic::QuantMode quant,
            GemmTraits traits = {});
  /// Prefill or decode attention, named "attention".
  void attention(double count, const AttentionTraits& traits);
  void all_reduce(const std::string& name, double count);
  /// The sum that follows `count` layers, of a NCCL collective.
  void collective(const std::string& name, double count, const std::string& operation,
                  double elements_per_token, int64_t gpus, aic::QuantMode dtype);
  /// Projection of the hidden state on the vocabulary, always in bfloat16.
  void logits();
  /// Between pipeline stages.
  void p2p();
  /// Ranks that share a prompt give each other their keys and values. Nothing on one rank.
  void share_kv(double count, double kv_bytes_per_token, const std::string& suffix = {});

  /// Any other op; its name is completed and its scale factor set.
  template <class Op>
  void add(Op op, double count) {
    op.name = prefix_ + op.name;
    op.scale_factor = count * draft_factor_;
    ops_.push_back({std::move(op)});
  }
  void add_group(aic::Overlap overlap);
  void add_group(aic::Fallback fallback);
  void append(std::vector<aic::Op> ops);

  /// An empty list with the same settings, for groups.
  PhaseGraph fork() const;
  std::vector<aic::Op> take() { return std::move(ops_); }
  /// The list with another word than the phase in front of its names. REQUIRES: no groups in it.
  std::vector<aic::Op> take_as(const std::string& prefix);

 private:
  ModelSizes sizes_;
  Deployment deployment_;
  Phase phase_;
  int64_t token_split_;
  double draft_factor_;
  std::string prefix_;
  std::vector<aic::Op> ops_;
};

/// "power_law" with its skew ("power_law_1.2"); other names stay.
std::string expert_load(const Deployment& deployment, std::string_view skew);

}  // namespace perfatlas::estimate
