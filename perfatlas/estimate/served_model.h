// SPDX-License-Identifier: Apache-2.0
// A checkpoint as the estimator sees it: which ops a prefill and a decode step issue, and how large its KV cache is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/aic/op.h"
#include "perfatlas/estimate/checkpoint.h"
#include "perfatlas/estimate/deployment.h"
#include "perfatlas/estimate/model_sizes.h"

namespace perfatlas::estimate {

/// The ops that one rank issues, in execution order.
struct StepGraph {
  std::vector<aic::Op> context;
  std::vector<aic::Op> generation;
};

/// Families differ in the memory they need for activations.
enum class Family {
  llama,
  moe,
  deepseek,
  kimi_k25,
  deepseek_v32,
  deepseek_v4,
  kimi_k3,
  hybrid_moe,
  step3,
  gemma4,
  nemotron_h,
  nemotron_nas,
  qwen35,
  qwen3_vl,
  qwen3_vl_moe,
  minimax_m3,
};

std::string_view name_of(Family family);

class ServedModel {
 public:
  explicit ServedModel(const Checkpoint& checkpoint)
      : checkpoint_(checkpoint), sizes_(read_sizes(checkpoint.config)) {}
  virtual ~ServedModel() = default;
  ServedModel(const ServedModel&) = delete;
  ServedModel& operator=(const ServedModel&) = delete;

  virtual Family family() const = 0;
  /// Whether layers have routed experts.
  virtual bool has_experts() const { return sizes_.experts > 0; }

  /// With both widths of the experts, where the model has any. Throws UsageError where they do not fit.
  virtual Parallel completed(Parallel ranks) const;

  /// REQUIRES: why_not(deployment) is empty.
  virtual StepGraph graph(const Deployment& deployment) const = 0;

  /// Why the model cannot be split or quantised that way, with what to change; empty when it can.
  std::string why_not(const Deployment& deployment) const;
  /// Why some widths change nothing; empty when all count.
  std::string why_unused(const Parallel& ranks) const;

  /// Bytes that one rank keeps for a sequence of `tokens` tokens.
  virtual double kv_bytes_per_sequence(const Deployment& deployment, int64_t tokens) const;

  /// Elements of the widest activation of a token, on all ranks.
  virtual int64_t activation_width() const { return sizes_.heads * sizes_.head_dim; }

  /// Whether prompts can be shared by several ranks with sglang.
  virtual bool splits_prompts() const { return true; }

  const Checkpoint& checkpoint() const { return checkpoint_; }
  const ModelSizes& sizes() const { return sizes_; }

 protected:
  /// What a family refuses beyond the common rules.
  virtual std::string why_not_special(const Deployment&) const { return {}; }

 private:
  Checkpoint checkpoint_;
  ModelSizes sizes_;
};

/// Throws Error naming a missing key, or listing the known architectures.
std::unique_ptr<ServedModel> make_served_model(const Checkpoint& checkpoint);

/// The architectures that make_served_model knows.
std::vector<std::string_view> served_architectures();

}  // namespace perfatlas::estimate
