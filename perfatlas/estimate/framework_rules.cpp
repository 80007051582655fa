// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/framework_rules.h"

#include <algorithm>
#include <cmath>

namespace perfatlas::estimate {
namespace {

constexpr double kMiB = 1 << 20;
constexpr double kTrtllmReserved = 0.015;

constexpr FrameworkRules kTrtllm{.min_activation_bytes = 70 * kMiB,
                                 .activation_overhead = 1,
                                 .other_overhead = 1,
                                 .fixed_token_capacity = true,
                                 .drain_correction = true,
                                 .expands_hidden_workspace = false};
constexpr FrameworkRules kSglang{.min_activation_bytes = 90 * kMiB,
                                 .activation_overhead = 1.15,
                                 .other_overhead = 1.2,
                                 .fixed_token_capacity = false,
                                 .drain_correction = true,
                                 .expands_hidden_workspace = true};
constexpr FrameworkRules kVllm{.min_activation_bytes = 70 * kMiB,
                               .activation_overhead = 1,
                               .other_overhead = 1,
                               .fixed_token_capacity = false,
                               .drain_correction = false,
                               .expands_hidden_workspace = false};

enum class ActivationClass { dense, experts, other };

ActivationClass activation_class(Framework framework, Family family) {
  switch (family) {
    case Family::llama:
      return ActivationClass::dense;
    case Family::moe:
    case Family::gemma4:
    case Family::step3:
    case Family::deepseek:
    case Family::deepseek_v32:
    case Family::deepseek_v4:
    case Family::kimi_k25:
      return ActivationClass::experts;
    case Family::kimi_k3:
      return framework == Framework::sglang ? ActivationClass::experts : ActivationClass::other;
    default:
      return ActivationClass::other;
  }
}

/// sglang's rule for mem_fraction_static: what chunked prefill and captured graphs need is set aside.
double sglang_fraction(const Parallel& ranks, double capacity_bytes) {
  const double capacity = capacity_bytes / kMiB;
  const bool narrow = ranks.tp < 4;
  double chunk = 16384, graph_batch = 512;
  if (capacity < 20 * 1024) {
    chunk = 2048;
    graph_batch = 8;
  } else if (capacity < 35 * 1024) {
    chunk = 2048;
    graph_batch = narrow ? 24 : 80;
  } else if (capacity < 60 * 1024) {
    chunk = 4096;
    graph_batch = narrow ? 32 : 160;
  } else if (capacity < 160 * 1024) {
    chunk = 8192;
    graph_batch = narrow ? 256 : 512;
  }
  double reserved = 512 + 1.5 * chunk + double(ranks.tp * ranks.pp) / 8 * 1024 + 2 * graph_batch;
  if (ranks.dp > 1) reserved += graph_batch * double(ranks.dp) * (graph_batch > 300 ? 4.5 : 3);
  if (capacity > 60 * 1024) reserved = std::max(reserved, 10.0 * 1024);
  return std::nearbyint((capacity - reserved) / capacity * 1000) / 1000;
}

double vllm_fraction(const std::string& version) {
  return version.starts_with("0.14") || version.starts_with("0.19") ? 0.9 : 0.92;
}

}  // namespace

const FrameworkRules& rules_of(Framework framework) {
  switch (framework) {
    case Framework::trtllm:
      return kTrtllm;
    case Framework::sglang:
      return kSglang;
    case Framework::vllm:
      break;
  }
  return kVllm;
}

double activation_coefficient(Framework framework, Family family, int64_t tp) {
  struct Row {
    double tp1, tp2, wide;
  };
  static constexpr Row kPlain[] = {{11, 6.5, 5}, {22, 13, 10}, {10, 6, 5}};
  static constexpr Row kOfSglang[] = {{14, 8.5, 6.5}, {28, 17, 13}, {13, 8, 6.5}};
  const auto index = size_t(activation_class(framework, family));
  const Row& row = framework == Framework::sglang ? kOfSglang[index] : kPlain[index];
  return tp >= 4 ? row.wide : tp >= 2 ? row.tp2 : row.tp1;
}

CacheRule aggregated_cache_rule(Framework framework, const std::string& version) {
  switch (framework) {
    case Framework::trtllm:
      return {.fraction = 0.9, .of_free = true, .reserved = kTrtllmReserved};
    case Framework::sglang:
      return {.fraction = 0.88};
    case Framework::vllm:
      break;
  }
  return {.fraction = vllm_fraction(version)};
}

CacheRule static_cache_rule(const Deployment& deployment, const std::string& version, double capacity_bytes) {
  if (deployment.framework != Framework::sglang) return aggregated_cache_rule(deployment.framework, version);
  return {.fraction = sglang_fraction(deployment.parallel, capacity_bytes)};
}

}  // namespace perfatlas::estimate
