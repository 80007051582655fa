// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "perfatlas/base/text.h"
#include "perfatlas/estimate/op_weights.h"
#include "perfatlas/estimate/quantisation.h"

namespace perfatlas::estimate {
namespace {

Checkpoint checkpoint_of(const std::string& json) {
  const HfConfig root = HfConfig::parse(json, "config.json");
  return {.name = "test", .root = root, .config = root.language_part(), .hf_quant = std::nullopt};
}

Checkpoint qwen3_32b_fp8() {
  return checkpoint_of(
      R"({"architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 64, "hidden_size": 5120,
    "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 25600,
    "vocab_size": 151936, "max_position_embeddings": 40960,
    "quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}})");
}

Checkpoint llama_8b() {
  return checkpoint_of(
      R"({"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 32, "hidden_size": 4096,
    "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
    "max_position_embeddings": 131072})");
}

AicSystem system_of(double capacity) {
  AicSystem system;
  system.name = "test";
  system.mem_capacity = capacity;
  system.nccl_mem = {{1, 0}, {2, 358612992}, {4, 411041792}, {8, 411041792}};
  system.other_mem = 3758096384;
  return system;
}

/// A worker without tables.
struct Deployed {
  std::unique_ptr<ServedModel> model;
  Deployment deployment;
  AicSystem system;
  double weight_bytes = 0;

  Deployed(const Checkpoint& checkpoint, int64_t tp, double capacity, QuantChoice chosen = {})
      : model(make_served_model(checkpoint)), system(system_of(capacity)) {
    deployment.parallel.tp = tp;
    const auto anything = [](std::optional<aic::QuantMode>) { return std::vector<aic::QuantMode>(); };
    deployment.quant = resolve_quant(*model, {.chosen = chosen}, anything);
    for (const aic::Op& op : model->graph(deployment).context) weight_bytes += estimate::weight_bytes(op);
  }
  WorkerSizes sizes() const { return {model.get(), &deployment, &system, weight_bytes}; }
};

constexpr double kH100 = 85899345920, kGb300 = 298013687808;

struct CapacityPoint {
  std::string system, model;
  int64_t tp, isl, osl;
  double fraction;
  int64_t measured;
};

std::vector<CapacityPoint> capacity_points() {
  std::ifstream in(std::string(PERFATLAS_TEST_DATA) + "/../tests/estimate/trtllm_kv_capacity.csv");
  std::vector<CapacityPoint> points;
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#' || line.starts_with("system")) continue;
    const auto cells = split(line, ',');
    points.push_back({std::string(cells[0]), std::string(cells[1]), *parse_integer(cells[2]),
                      *parse_integer(cells[3]), *parse_integer(cells[4]), *parse_real(cells[5]),
                      *parse_integer(cells[6])});
  }
  return points;
}

/// Largest batch whose cache the framework would accept, with the measured runs' token capacity of two prompts.
int64_t predicted(const CapacityPoint& p) {
  const Checkpoint checkpoint = p.model == "Qwen3-32B-FP8" ? qwen3_32b_fp8() : llama_8b();
  const double capacity = p.system == "gb300" ? kGb300 : kH100;
  const Deployed worker(checkpoint, p.tp, capacity, {.kv = aic::QuantMode::bfloat16});
  CacheRule rule = aggregated_cache_rule(Framework::trtllm, "1.3.0rc20");
  rule.fraction = p.fraction;
  rule.tolerance = 0;
  const Memory one = memory_of(
      worker.sizes(), {.batch = 1, .sequence_tokens = p.isl + p.osl + 1000, .step_tokens = 2 * p.isl});
  return int64_t(kv_budget_bytes(one, rule, capacity) / one.kv_cache);
}

TEST(Memory, IsWithinTwoPercentOrOneSequenceOfMeasuredTensorRtLlmCapacities) {
  const std::vector<CapacityPoint> points = capacity_points();
  ASSERT_EQ(points.size(), 72u);
  for (const CapacityPoint& p : points) {
    const int64_t batch = predicted(p);
    const int64_t allowed = std::max<int64_t>(1, int64_t(double(p.measured) * 0.02));
    EXPECT_LE(std::abs(batch - p.measured), allowed)
        << p.system << " " << p.model << " tp " << p.tp << " " << p.isl << "/" << p.osl << " " << p.fraction;
  }
}

TEST(Memory, OfAStaticBatchIsThePublishedExample) {
  Deployed worker(checkpoint_of(R"({"architectures": ["Qwen3ForCausalLM"], "num_hidden_layers": 64,
    "hidden_size": 5120, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
    "intermediate_size": 25600, "vocab_size": 151936, "max_position_embeddings": 40960})"),
                  4, kH100);
  const Memory m =
      memory_of(worker.sizes(), {.batch = 32, .sequence_tokens = 4096 + 1024, .step_tokens = 4096 * 32});
  const double gib = double(int64_t(1) << 30);
  EXPECT_NEAR(m.weights / gib, 15.256, 0.001);
  EXPECT_DOUBLE_EQ(m.kv_cache / gib, 10.0);
  EXPECT_DOUBLE_EQ(m.activations / gib, 10.0);
  EXPECT_NEAR(m.communication / gib, 0.383, 0.001);
  EXPECT_DOUBLE_EQ(m.other / gib, 3.5);
}

RC_GTEST_PROP(Memory, GrowsWithTheBatchAndTheSequence, ()) {
  static const Deployed worker(llama_8b(), 1, kH100);
  const auto batch = *rc::gen::inRange<int64_t>(1, 512), tokens = *rc::gen::inRange<int64_t>(1, 100000);
  const Memory one =
      memory_of(worker.sizes(), {.batch = batch, .sequence_tokens = tokens, .step_tokens = batch});
  const Memory more = memory_of(
      worker.sizes(), {.batch = batch + 1, .sequence_tokens = tokens + 1, .step_tokens = batch + 1});
  RC_ASSERT(more.total() > one.total());
  RC_ASSERT(one.activations >= rules_of(Framework::trtllm).min_activation_bytes);
}

TEST(Memory, OfAWindowedModelStopsGrowingInItsWindowedLayers) {
  const Deployed worker(checkpoint_of(R"({"architectures": ["GptOssForCausalLM"], "num_hidden_layers": 4,
    "hidden_size": 256, "num_attention_heads": 8, "num_key_value_heads": 8, "head_dim": 32, "intermediate_size": 512,
    "vocab_size": 1000, "max_position_embeddings": 4096, "num_local_experts": 8, "num_experts_per_tok": 2})"),
                        1, kH100);
  const double all = worker.model->kv_bytes_per_sequence(worker.deployment, 128);
  const double twice = worker.model->kv_bytes_per_sequence(worker.deployment, 256);
  EXPECT_DOUBLE_EQ(twice / all, 1.5);  // half of the layers see 128 tokens
}

TEST(Fit, TellsWeightsThatDoNotFitFromACacheThatIsTooSmall) {
  const CacheRule rule{.fraction = 0.9, .of_free = true, .reserved = 0, .tolerance = 0};
  Memory m{.weights = 50, .kv_cache = 10};
  EXPECT_EQ(fit_of(m, rule, 100), Fit::fits);
  m.kv_cache = 46;  // of 50 that are free, 45 may be used
  EXPECT_EQ(fit_of(m, rule, 100), Fit::kv_cache_too_small);
  m.kv_cache = 50;
  EXPECT_EQ(fit_of(m, rule, 100), Fit::does_not_fit);
}

}  // namespace
}  // namespace perfatlas::estimate
