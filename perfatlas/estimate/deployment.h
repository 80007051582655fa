// SPDX-License-Identifier: Apache-2.0
// How a model is deployed: framework, ranks, element types, communication of the experts. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/aic/quant_mode.h"

namespace perfatlas::estimate {

/// The serving frameworks whose scheduling and memory rules are known.
enum class Framework { trtllm, sglang, vllm };

std::string_view name_of(Framework framework);
/// Throws UsageError listing the known ones.
Framework framework_from_name(std::string_view name);

/// The ranks of one worker (one copy of the model): tp * pp * dp * cp GPUs.
struct Parallel {
  int64_t tp = 1;                         // attention heads and dense layers
  int64_t pp = 1;                         // pipeline stages
  int64_t dp = 1;                         // attention replicas that share the experts
  int64_t cp = 1;                         // ranks that share the tokens of a prompt
  std::optional<int64_t> moe_tp, moe_ep;  // widths of the experts; absent for dense models

  int64_t gpus() const { return tp * pp * dp * cp; }
  /// Ranks over which experts are spread: tp * dp * cp.
  int64_t attention_width() const { return tp * dp * cp; }
  int64_t expert_tp() const { return moe_tp.value_or(1); }
  int64_t expert_ep() const { return moe_ep.value_or(1); }
  /// "tp4pp1dp1etp1ep4", "cp2" appended when tokens are shared; None for an absent width.
  std::string label() const;
  bool operator==(const Parallel&) const = default;
};

/// With both widths of the experts: what is absent follows from tp * dp * cp. Throws UsageError where it does not.
Parallel with_expert_widths(Parallel parallel);

/// Absent means: as the checkpoint says.
struct QuantChoice {
  std::optional<aic::QuantMode> gemm, moe, kv, fmha, comm;
};

/// What every kernel of a worker runs in.
struct QuantModes {
  aic::QuantMode gemm = aic::QuantMode::bfloat16;
  aic::QuantMode moe = aic::QuantMode::bfloat16;
  aic::QuantMode kv = aic::QuantMode::bfloat16;
  aic::QuantMode fmha = aic::QuantMode::bfloat16;
  aic::QuantMode comm = aic::QuantMode::half;
  /// The mode of matrix products holds for every projection, whatever the checkpoint excludes.
  bool gemm_is_explicit = false;
  bool operator==(const QuantModes&) const = default;
};

/// Libraries that carry tokens between the GPUs of a wide expert-parallel group; empty: the framework's collectives.
struct ExpertTransport {
  std::string context, generation;
  bool used() const { return !context.empty() || !generation.empty(); }
  bool operator==(const ExpertTransport&) const = default;
};

struct Deployment {
  Framework framework = Framework::trtllm;
  Parallel parallel;
  QuantModes quant;
  int64_t drafted_tokens = 0;     // per decode iteration (multi-token prediction)
  std::string attention_backend;  // kernels by the framework's name; empty: its default
  std::string moe_backend;        // sglang: megamoe, deepep_moe; empty: its default
  std::string expert_load = "power_law";
  ExpertTransport transport;
  bool expert_load_balancing = false;
  int64_t expert_slots = 0;  // experts with their copies; 0: no copies
  std::string system;        // where it runs, as far as ops depend on it
  int sm_version = 90;       // of its GPUs
  int64_t gpus_per_node = 8;
};

}  // namespace perfatlas::estimate
