// SPDX-License-Identifier: Apache-2.0
// A model configuration as the list of ops that one rank issues per step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/models/checkpoint.h"
#include "perfatlas/models/parallelism.h"
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

  /// The ops of a step on one rank, in execution order. REQUIRES: why_not(ranks) is empty.
  virtual std::vector<OpUse> step(const StepShape& shape, const Parallelism& ranks) const = 0;

  /// Ops that stand for several ops of the step at once (a whole MLA block): measured beside them, never added to them.
  virtual std::vector<OpUse> blocks(const StepShape&, const Parallelism&) const { return {}; }

  /// Why the model cannot be split that way, or empty.
  virtual std::string why_not(const Parallelism& ranks) const = 0;

  /// The splits that differ for this model: one per tp without experts. Those that why_not refuses are left out.
  std::vector<Parallelism> splits(int64_t tp) const;

  std::string name;          // as the user gave it
  std::string architecture;  // architectures[0]
  bool has_experts = false;
};

struct ModelOptions {
  std::optional<Quant>
      type;  // plan every weight, activation and cache in this type instead of the checkpoint's
};

/// The architectures that make_model knows.
std::vector<std::string_view> known_architectures();

/// Throws Error naming a missing key, or listing the known architectures.
std::unique_ptr<Model> make_model(const Checkpoint& checkpoint, const OpRegistry& ops,
                                  const ModelOptions& options = {});

/// Names of the models below the folders, sorted.
std::vector<std::string> library_models(const std::vector<std::string>& libraries);

/// Finds `name_or_path`: a folder with a config.json, a JSON file, or the name of a folder below one of `libraries`
/// (with or without its organisation: "Qwen/Qwen3-0.6B" or "Qwen3-0.6B"). Throws UsageError listing known names.
std::unique_ptr<Model> find_model(const std::string& name_or_path, const std::vector<std::string>& libraries,
                                  const OpRegistry& ops, const ModelOptions& options = {});

/// Indices into `uses` in the order in which a step launches them: layer after layer, each use as often as its count.
/// Uses that fewer layers have are spread evenly over the step; those of one layer run in the last one.
std::vector<size_t> execution_order(const std::vector<OpUse>& uses);

/// The distinct ops of all models, tensor-parallel degrees and splits of the experts, as prototypes. Degrees that do
/// not divide a model are left out for that model.
ModelShapes shapes_of(const std::vector<const Model*>& models, const std::vector<int64_t>& tps);

}  // namespace perfatlas
