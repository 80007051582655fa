// SPDX-License-Identifier: Apache-2.0
// A model configuration as the list of ops that one rank issues per step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/models/hf_config.h"
#include "perfatlas/schema/model_shapes.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// One op of a step, `count` times (usually the number of layers).
struct OpUse {
  std::string name;  // "qkv_gemm"; the same in every family
  Case c;
  int64_t count = 1;
};

enum class Phase { context, generation };

/// One step of a batch of equal requests.
struct StepShape {
  Phase phase = Phase::context;
  int64_t batch = 1;   // requests
  int64_t isl = 1;     // new tokens per request: the prompt's in the context phase, 1 in generation
  int64_t cached = 0;  // tokens per request that are in the KV cache already
  int64_t tokens() const { return batch * isl; }
};

class Model {
 public:
  virtual ~Model() = default;

  /// The ops of a step on one rank of `tp` ranks, in execution order. Ops perfatlas has no declaration for
  /// (embedding, activation, collectives) are not in the list; see docs/ops.md for what is declared.
  /// REQUIRES: why_not_tp(tp) is empty.
  virtual std::vector<OpUse> step(const StepShape& shape, int64_t tp) const = 0;

  /// Why the model cannot be split over `tp` ranks, or empty.
  virtual std::string why_not_tp(int64_t tp) const = 0;

  std::string name;          // as the user gave it
  std::string architecture;  // architectures[0]
};

/// The architectures that make_model knows.
std::vector<std::string_view> known_architectures();

/// Throws Error naming a missing key, or listing the known architectures.
std::unique_ptr<Model> make_model(const HfConfig& config, const std::string& name, const OpRegistry& ops);

/// Finds `name_or_path`: a folder with a config.json, a JSON file, or the name of a folder below one of `libraries`
/// (with or without its organisation: "Qwen/Qwen3-0.6B" or "Qwen3-0.6B"). Throws UsageError listing known names.
std::unique_ptr<Model> find_model(const std::string& name_or_path, const std::vector<std::string>& libraries,
                                  const OpRegistry& ops);

/// The distinct ops of all models and tensor-parallel degrees, as prototypes. Degrees that do not divide a model's
/// heads are left out for that model.
ModelShapes shapes_of(const std::vector<const Model*>& models, const std::vector<int64_t>& tps);

}  // namespace perfatlas
