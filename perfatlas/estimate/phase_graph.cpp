// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/phase_graph.h"

#include <fmt/format.h>

#include <iterator>

namespace perfatlas::estimate {

PhaseGraph::PhaseGraph(const ModelSizes& sizes, const Deployment& deployment, Phase phase, bool split_tokens)
    : sizes_(sizes), deployment_(deployment), phase_(phase) {
  const bool in_context = phase == Phase::context;
  token_split_ = in_context && split_tokens ? deployment.parallel.cp : 1;
  draft_factor_ = in_context ? 1 : double(sizes.layers + deployment.drafted_tokens) / double(sizes.layers);
  prefix_ = in_context ? "context_" : "generation_";
}

PhaseGraph PhaseGraph::fork() const {
  PhaseGraph other = *this;
  other.ops_.clear();
  return other;
}

void PhaseGraph::embedding(int64_t vocab_rows) {
  add(aic::Embedding{{"embedding"}, vocab_rows, hidden(), aic::QuantMode::bfloat16, token_split_}, 1);
}

void PhaseGraph::elementwise(const std::string& name, double count, int64_t in, int64_t out,
                             int64_t token_divisor) {
  add(aic::ElementWise{{name}, 2.0 * double(in + out), token_divisor, token_split_}, count);
}

void PhaseGraph::gemm(const std::string& name, double count, Matrix shape, aic::QuantMode quant,
                      GemmTraits traits) {
  aic::Gemm op;
  op.name = name;
  op.n = shape.n;
  op.k = shape.k;
  op.quant = quant;
  op.scale_num_tokens = traits.token_divisor;
  op.seq_split = token_split_;
  op.low_precision_input = traits.low_precision_input;
  op.below_grid_sol = traits.below_grid_sol;
  add(op, count);
}

void PhaseGraph::attention(double count, const AttentionTraits& traits) {
  const auto fill = [&](auto op) {
    op.name = "attention";
    op.n = traits.heads;
    op.n_kv = traits.kv_heads;
    op.head_size = traits.head_dim;
    op.window_size = traits.window;
    op.kv_quant = quant().kv;
    op.attention_backend = deployment_.attention_backend;
    return op;
  };
  if (!context()) return add(fill(aic::GenerationAttention{}), count);
  aic::ContextAttention op = fill(aic::ContextAttention{});
  op.fmha_quant = quant().fmha;
  op.use_qk_norm = traits.head_norms;
  op.cp_size = token_split_;
  add(op, count);
}

void PhaseGraph::all_reduce(const std::string& name, double count) {
  add(aic::CustomAllReduce{{name}, hidden(), ranks().tp, token_split_}, count);
}

void PhaseGraph::collective(const std::string& name, double count, const std::string& operation,
                            double elements_per_token, int64_t gpus, aic::QuantMode dtype) {
  aic::Nccl op;
  op.name = name;
  op.operation = operation;
  op.elements_per_token = elements_per_token;
  op.num_gpus = gpus;
  op.dtype = dtype;
  add(op, count);
}

void PhaseGraph::logits() {
  gemm("logits_gemm", 1, {sizes_.vocab / ranks().tp, hidden()}, aic::QuantMode::bfloat16);
}

void PhaseGraph::p2p() { add(aic::P2p{{"p2p"}, hidden(), ranks().pp, token_split_}, double(ranks().pp - 1)); }

void PhaseGraph::share_kv(double count, double kv_bytes_per_token, const std::string& suffix) {
  if (context_ranks() == 1) return;
  const double elements = kv_bytes_per_token / aic::profile_of(quant().comm).bytes;
  collective("cp_all_gather" + suffix, count, "all_gather", elements, context_ranks(), quant().comm);
}

void PhaseGraph::add_group(aic::Overlap overlap) {
  overlap.name = prefix_ + overlap.name;
  ops_.push_back({std::move(overlap)});
}

void PhaseGraph::add_group(aic::Fallback fallback) {
  fallback.name = prefix_ + fallback.name;
  ops_.push_back({std::move(fallback)});
}

void PhaseGraph::append(std::vector<aic::Op> ops) {
  ops_.insert(ops_.end(), std::make_move_iterator(ops.begin()), std::make_move_iterator(ops.end()));
}

std::vector<aic::Op> PhaseGraph::take_as(const std::string& prefix) {
  const auto rename = [&](auto& op) { op.name = prefix + op.name.substr(prefix_.size()); };
  for (aic::Op& op : ops_) std::visit(rename, op.value);
  return take();
}

std::string expert_load(const Deployment& deployment, std::string_view skew) {
  if (deployment.expert_load != "power_law") return deployment.expert_load;
  return fmt::format("power_law_{}", skew);
}

}  // namespace perfatlas::estimate
