// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/models/llama.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

struct Family {
  std::vector<std::string_view> architectures;
  std::unique_ptr<Model> (*make)(const HfConfig&, const OpRegistry&);
};

/// One line per family.
const std::vector<Family>& families() {
  static const std::vector<Family> table = {{llama_architectures(), &make_llama}};
  return table;
}

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

}  // namespace

std::vector<std::string_view> known_architectures() {
  std::vector<std::string_view> known;
  for (const Family& family : families())
    known.insert(known.end(), family.architectures.begin(), family.architectures.end());
  return known;
}

std::unique_ptr<Model> make_model(const HfConfig& config, const std::string& name, const OpRegistry& ops) {
  const std::string architecture = config.architecture();
  for (const Family& family : families()) {
    if (std::find(family.architectures.begin(), family.architectures.end(), architecture) ==
        family.architectures.end())
      continue;
    std::unique_ptr<Model> model = family.make(config, ops);
    model->name = name;
    model->architecture = architecture;
    return model;
  }
  throw Error(fmt::format("{}: architecture '{}' is not supported; known: {}", config.origin(), architecture,
                          join_words(known_architectures())));
}

std::unique_ptr<Model> find_model(const std::string& name_or_path, const std::vector<std::string>& libraries,
                                  const OpRegistry& ops) {
  if (fs::exists(name_or_path)) {
    const fs::path path = fs::path(name_or_path).lexically_normal();
    const fs::path folder = path.filename() == "config.json" ? path.parent_path() : path;
    const std::string name = folder.has_filename() ? folder.filename().string() : folder.string();
    return make_model(HfConfig::load(name_or_path), name, ops);
  }
  const std::string folder = name_or_path.substr(name_or_path.rfind('/') + 1);
  for (const std::string& library : libraries)
    if (!folder.empty() && fs::exists(fs::path(library) / folder / "config.json"))
      return make_model(HfConfig::load((fs::path(library) / folder).string()), name_or_path, ops);
  const std::vector<std::string> names = library_models(libraries);
  throw UsageError(fmt::format("there is no model '{}'; give a folder with a config.json, or one of {}",
                               name_or_path, join_words({names.begin(), names.end()})));
}

ModelShapes shapes_of(const std::vector<const Model*>& models, const std::vector<int64_t>& tps) {
  ModelShapes shapes;
  for (const Model* model : models)
    for (const int64_t tp : tps) {
      if (!model->why_not_tp(tp).empty()) continue;
      for (const OpUse& use : model->step({.phase = Phase::context, .isl = kPrototypeTokens}, tp))
        shapes.add(use.c);
      for (const OpUse& use : model->step({.phase = Phase::generation}, tp)) shapes.add(use.c);
    }
  return shapes;
}

}  // namespace perfatlas
