// SPDX-License-Identifier: Apache-2.0
// The blocks that model families are made of, as the ops that one rank issues for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/models/model.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {

/// Element types of a checkpoint.
struct ModelTypes {
  Quant projection = Quant::bf16;     // into attention and other mixers of tokens
  Quant output = Quant::bf16;         // out of them
  Quant dense = Quant::bf16;          // dense feed-forward layers
  Quant shared_expert = Quant::bf16;  // experts that every token uses
  Quant experts = Quant::bf16;        // routed experts
  Quant logits = Quant::bf16;         // projection on the vocabulary, gates of linear attention
  DType activation = DType::bf16;
  DType kv = DType::bf16;
};

/// Multi-head or grouped-query attention of the whole model, before it is split.
struct AttentionSizes {
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 128;
  int64_t window = 0;        // 0: none
  int64_t rotary_dim = 0;    // 0: no rotary embedding
  bool head_norms = false;   // RMS norms of every query and key head
  bool output_gate = false;  // a gate as wide as the queries, from the same projection
};

/// Routed experts and the shared one of a layer.
struct ExpertSizes {
  int64_t inter = 1;
  int64_t topk = 1;
  int64_t experts = 1;
  int64_t shared_inter = 0;  // 0: no shared expert
  bool gated = true;         // SwiGLU; else squared ReLU
  int64_t hidden = 0;        // 0: the model's; else experts work in a latent space of this width
};

/// Appends ops in execution order. `count` is the number of layers that have the block. Widths are the whole model's;
/// the builder divides by the ranks. REQUIRES: the divisions are exact where the model's why_not says nothing.
class StepBuilder {
 public:
  StepBuilder(const OpRegistry& ops, const StepShape& shape, const Parallelism& ranks,
              const ModelTypes& types, int64_t hidden);

  void embedding(int64_t vocab);
  /// Norm of the residual stream, with the addition that precedes it.
  void add_norm(const std::string& name, int64_t count);
  /// Norm of `rows_per_token` rows of `width` elements each.
  void norm(const std::string& name, int64_t rows_per_token, int64_t width, int64_t count);
  /// y[tokens, out] = x[tokens, in] W.
  void linear(const std::string& name, int64_t out, int64_t in, int64_t count, Quant quant);
  /// The same into a mixer of tokens, and out of it.
  void projection(const std::string& name, int64_t out, int64_t in, int64_t count);
  void output(const std::string& name, int64_t out, int64_t in, int64_t count);
  /// qkv projection, head norms, rotary embedding, attention with its cache, output projection, all-reduce.
  /// `suffix` tells attention blocks of one model apart ("_window").
  void attention(const AttentionSizes& sizes, int64_t count, const std::string& suffix = {});
  /// Gate and up projection, activation, down projection, all-reduce.
  void dense_ffn(int64_t inter, bool gated, int64_t count);
  /// Router, shared expert, routed experts, all-reduce. `alpha`: skew of the expected routing.
  void experts(const ExpertSizes& sizes, std::string_view distribution, int64_t count);
  /// Sum of the ranks' partial results [tokens, hidden]; nothing on one rank.
  void all_reduce(const std::string& name, int64_t count);
  /// Projection of the last token of each request on the vocabulary, and the choice of the next token.
  void logits(int64_t vocab);

  /// Any op of any declaration.
  template <Operation Op>
  void add(const std::string& name, const Op& op, int64_t count) {
    uses_.push_back({name, make_case(ops_.get(Op::info.id), op), count});
  }

  int64_t tokens() const { return shape_.tokens(); }
  const StepShape& shape() const { return shape_; }
  const Parallelism& ranks() const { return ranks_; }
  const ModelTypes& types() const { return types_; }
  bool context() const { return shape_.phase == Phase::context; }

  std::vector<OpUse> take() { return std::move(uses_); }

 private:
  void activation(const std::string& name, bool gated, int64_t inter, int64_t count);

  const OpRegistry& ops_;
  StepShape shape_;
  Parallelism ranks_;
  ModelTypes types_;
  int64_t hidden_;
  std::vector<OpUse> uses_;
};

}  // namespace perfatlas
