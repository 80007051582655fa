// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/models/checkpoint_types.h"
#include "perfatlas/models/families.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

struct Family {
  std::vector<std::string_view> architectures;
  std::unique_ptr<Model> (*make)(const ModelSource&);
};

/// One line per family.
const std::vector<Family>& families() {
  static const std::vector<Family> table = {
      {llama_architectures(), &make_llama},       {mixture_architectures(), &make_mixture},
      {deepseek_architectures(), &make_deepseek}, {nemotron_h_architectures(), &make_nemotron_h},
      {qwen3_5_architectures(), &make_qwen3_5},
  };
  return table;
}

}  // namespace

std::vector<std::string> library_models(const std::vector<std::string>& libraries) {
  std::vector<std::string> names;
  for (const std::string& library : libraries) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(library, error))
      if (fs::exists(entry.path() / "config.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string_view> known_architectures() {
  std::vector<std::string_view> known;
  for (const Family& family : families())
    known.insert(known.end(), family.architectures.begin(), family.architectures.end());
  return known;
}

std::unique_ptr<Model> make_model(const Checkpoint& checkpoint, const OpRegistry& ops,
                                  const ModelOptions& options) {
  const std::string architecture = checkpoint.architecture();
  for (const Family& family : families()) {
    if (std::find(family.architectures.begin(), family.architectures.end(), architecture) ==
        family.architectures.end())
      continue;
    const ModelTypes types = options.type ? uniform_types(*options.type) : checkpoint_types(checkpoint);
    std::unique_ptr<Model> model = family.make({checkpoint.config, architecture, types, ops});
    model->name = checkpoint.name;
    model->architecture = architecture;
    return model;
  }
  throw Error(fmt::format("{}: architecture '{}' is not supported; known: {}", checkpoint.root.origin(),
                          clipped(architecture), join_words(known_architectures())));
}

std::unique_ptr<Model> find_model(const std::string& name_or_path, const std::vector<std::string>& libraries,
                                  const OpRegistry& ops, const ModelOptions& options) {
  if (fs::exists(name_or_path)) {
    const fs::path path = fs::path(name_or_path).lexically_normal();
    const fs::path folder = path.filename() == "config.json" ? path.parent_path() : path;
    const std::string name = folder.has_filename() ? folder.filename().string() : folder.string();
    return make_model(read_checkpoint(name, name_or_path), ops, options);
  }
  const std::string folder = name_or_path.substr(name_or_path.rfind('/') + 1);
  for (const std::string& library : libraries)
    if (!folder.empty() && fs::exists(fs::path(library) / folder / "config.json"))
      return make_model(read_checkpoint(name_or_path, (fs::path(library) / folder).string()), ops, options);
  const std::vector<std::string> names = library_models(libraries);
  throw UsageError(fmt::format("there is no model '{}'; give a folder with a config.json, or one of {}",
                               name_or_path, join_words({names.begin(), names.end()})));
}

std::vector<size_t> execution_order(const std::vector<OpUse>& uses) {
  int64_t layers = 0;
  for (const OpUse& use : uses) layers = std::max(layers, use.count);
  std::vector<size_t> order;
  for (int64_t layer = 0; layer < layers; ++layer)
    for (size_t i = 0; i < uses.size(); ++i) {
      const int64_t due = (layer + 1) * uses[i].count / layers, done = layer * uses[i].count / layers;
      if (due > done) order.push_back(i);
    }
  return order;
}

std::vector<Parallelism> Model::splits(int64_t tp) const {
  std::vector<Parallelism> splits;
  for (const Parallelism& ranks : splits_of(tp))
    if (why_not(ranks).empty() && (has_experts || ranks.moe_ep == 1)) splits.push_back(ranks);
  return splits;
}

ModelShapes shapes_of(const std::vector<const Model*>& models, const std::vector<int64_t>& tps) {
  ModelShapes shapes;
  for (const Model* model : models)
    for (const int64_t tp : tps) {
      for (const Parallelism& ranks : model->splits(tp))
        for (const StepShape& shape : {StepShape{.phase = Phase::context, .isl = kPrototypeTokens},
                                       StepShape{.phase = Phase::generation}}) {
          for (const OpUse& use : model->step(shape, ranks)) shapes.add(use.c);
          for (const OpUse& use : model->blocks(shape, ranks)) shapes.add(use.c);
        }
    }
  return shapes;
}

}  // namespace perfatlas
