// SPDX-License-Identifier: Apache-2.0
// From a checkpoint's quantisation, the user's wishes and the hardware to what the kernels run in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/estimate/checkpoint.h"
#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/served_model.h"

namespace perfatlas::estimate {

/// What a checkpoint says; absent where it is silent (then bfloat16). fp8, fp8_block and nvfp4 checkpoints also compute
/// attention in fp8 over an fp8 cache. Throws Error naming an algorithm that is not known.
QuantChoice checkpoint_quant(const Checkpoint& checkpoint);

/// The types in which prefill attention was measured over a cache of type `kv` (absent: any). Empty: no such table.
using MeasuredFmha = std::function<std::vector<aic::QuantMode>(std::optional<aic::QuantMode> kv)>;

struct QuantQuestion {
  QuantChoice chosen;  // by the user
  Framework framework = Framework::trtllm;
  int sm_version = 90;
  std::string moe_backend;
  bool runs_prefill = true;   // this worker runs prompts
  bool wide_experts = false;  // experts go over several nodes (ExpertTransport)
  bool searching =
      false;  // a search picks the best kernels of a GPU where a single estimate keeps the checkpoint's
};

/// Throws UsageError where fp8 attention is asked for and was not measured.
QuantModes resolve_quant(const ServedModel& model, const QuantQuestion& question,
                         const MeasuredFmha& measured);

/// Throws UsageError for a name that is no mode of this kind ("--gemm-quant-mode"), listing those.
aic::QuantMode gemm_mode_from_name(std::string_view name);
aic::QuantMode moe_mode_from_name(std::string_view name);
aic::QuantMode kv_mode_from_name(std::string_view name);
aic::QuantMode fmha_mode_from_name(std::string_view name);
aic::QuantMode comm_mode_from_name(std::string_view name);

}  // namespace perfatlas::estimate
