// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/graph/families.h"
#include "perfatlas/estimate/phase_graph.h"

namespace perfatlas::estimate {
namespace {

/// Equal layers that follow each other.
struct LayerGroup {
  int64_t heads_per_kv = 0;  // query heads that share keys and values
  bool no_attention = false, no_ffn = false;
  double ffn_multiple = 3.5;
  int64_t count = 1;
  bool same_as(const LayerGroup& other) const {
    return heads_per_kv == other.heads_per_kv && no_attention == other.no_attention &&
           no_ffn == other.no_ffn && ffn_multiple == other.ffn_multiple;
  }
};

LayerGroup read_layer(const HfConfig& config, const nlohmann::json& block) {
  LayerGroup group;
  try {
    const nlohmann::json attention = block.value("attention", nlohmann::json::object());
    const nlohmann::json ffn = block.value("ffn", nlohmann::json::object());
    group.no_attention = attention.value("no_op", false);
    group.no_ffn = ffn.value("no_op", false);
    if (const auto at = attention.find("n_heads_in_group"); at != attention.end() && !at->is_null())
      group.heads_per_kv = at->get<int64_t>();
    if (const auto at = ffn.find("ffn_mult"); at != ffn.end() && !at->is_null())
      group.ffn_multiple = at->get<double>();
  } catch (const nlohmann::json::exception&) {
    throw Error(
        fmt::format("{}: block_configs has an entry without attention and ffn objects", config.origin()));
  }
  if (!group.no_attention && group.heads_per_kv < 1)
    throw Error(fmt::format("{}: block_configs has attention without n_heads_in_group", config.origin()));
  return group;
}

std::vector<LayerGroup> read_layers(const HfConfig& config) {
  const auto at = config.json().find("block_configs");
  if (at == config.json().end() || !at->is_array() || at->empty())
    throw Error(fmt::format("{}: key 'block_configs' is missing", config.origin()));
  std::vector<LayerGroup> groups;
  for (const nlohmann::json& block : *at) {
    const LayerGroup layer = read_layer(config, block);
    if (!groups.empty() && groups.back().same_as(layer))
      ++groups.back().count;
    else
      groups.push_back(layer);
  }
  return groups;
}

class NemotronNas final : public ServedModel {
 public:
  explicit NemotronNas(const Checkpoint& checkpoint)
      : ServedModel(checkpoint), layers_(read_layers(checkpoint.config)) {}

  Family family() const override { return Family::nemotron_nas; }
  bool has_experts() const override { return false; }

  StepGraph graph(const Deployment& deployment) const override {
    return {phase(deployment, Phase::context), phase(deployment, Phase::generation)};
  }

 protected:
  bool splits_prompts() const override { return false; }

  std::string why_not_special(const Deployment& deployment) const override {
    if (deployment.drafted_tokens == 0) return {};
    return "models with a different shape in every layer have no draft layers; leave out --nextn";
  }

 private:
  /// Widths are multiples of 256.
  int64_t inter(double multiple) const {
    const auto exact = int64_t(2 * multiple * double(sizes().hidden) / 3);
    return (exact + 255) / 256 * 256;
  }

  std::vector<aic::Op> phase(const Deployment& deployment, Phase which) const {
    PhaseGraph g(sizes(), deployment, which);
    g.embedding(sizes().vocab);
    for (const LayerGroup& group : layers_) {
      if (!group.no_attention) attention(g, group);
      if (!group.no_ffn) feed_forward(g, group);
    }
    g.p2p();
    g.logits();
    return g.take();
  }

  void attention(PhaseGraph& g, const LayerGroup& group) const {
    const double count = double(group.count);
    const int64_t tp = g.ranks().tp, h = g.hidden(), d = sizes().head_dim;
    const int64_t kv = (sizes().heads / group.heads_per_kv + tp - 1) / tp, width = sizes().heads * d / tp;
    g.norm("add_norm_1", count);
    g.gemm("qkv_gemm", count, {width + 2 * d * kv, h}, g.quant().gemm);
    g.attention(count, {sizes().heads / tp, kv});
    g.gemm("proj_gemm", count, {h, width}, g.quant().gemm);
    g.all_reduce("ar_1", count);
  }

  void feed_forward(PhaseGraph& g, const LayerGroup& group) const {
    const double count = double(group.count);
    const int64_t tp = g.ranks().tp, h = g.hidden(), width = inter(group.ffn_multiple);
    g.norm("add_norm_2", count);
    g.gemm("gate_ffn1_gemm", count, {2 * width / tp, h}, g.quant().gemm);
    g.elementwise("act_gate", count, 2 * width / tp, width / tp);
    g.gemm("ffn2_gemm", count, {h, width / tp}, g.quant().gemm);
    g.all_reduce("ar_2", count);
  }

  std::vector<LayerGroup> layers_;
};

}  // namespace

std::unique_ptr<ServedModel> make_nemotron_nas(const Checkpoint& checkpoint) {
  return std::make_unique<NemotronNas>(checkpoint);
}

}  // namespace perfatlas::estimate
