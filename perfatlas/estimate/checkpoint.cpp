// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::estimate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfigEnding = "_config.json";
constexpr std::string_view kQuantEnding = "_hf_quant_config.json";

/// `text` with the first `from` replaced.
std::string with_first_replaced(const std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) return text;
  return fmt::format("{}{}{}", text.substr(0, at), to, text.substr(at + from.size()));
}

/// "Qwen/Qwen3-32B" is stored as "Qwen--Qwen3-32B".
std::string stored_name(const std::string& id) { return with_first_replaced(id, "/", "--"); }

/// Models that published data and measurements know under different ids; their configurations are the same.
constexpr std::pair<std::string_view, std::string_view> kOtherIds[] = {
    {"meta-llama/Llama-3.1-8B", "meta-llama/Meta-Llama-3.1-8B"},
    {"meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Meta-Llama-3.1-8B"},
    {"meta-llama/Llama-3.1-70B", "meta-llama/Meta-Llama-3.1-70B"},
    {"meta-llama/Llama-3.1-70B-Instruct", "meta-llama/Meta-Llama-3.1-70B"},
    {"meta-llama/Llama-3.1-405B", "meta-llama/Meta-Llama-3.1-405B"},
    {"zhipuai/GLM-5", "zai-org/GLM-5"},
};

std::optional<std::string> id_of_file(const std::string& file) {
  if (!file.ends_with(kConfigEnding) || file.ends_with(kQuantEnding)) return std::nullopt;
  return with_first_replaced(file.substr(0, file.size() - kConfigEnding.size()), "--", "/");
}

std::optional<Checkpoint> in_root(const std::string& id, const SystemsRoot& root) {
  const std::vector<std::string> names = root.model_config_names();
  const auto has = [&](const std::string& name) {
    return std::binary_search(names.begin(), names.end(), name);
  };
  const std::string config = stored_name(id) + std::string(kConfigEnding);
  const std::string quant = stored_name(id) + std::string(kQuantEnding);
  if (!has(config)) return std::nullopt;
  Checkpoint checkpoint = checkpoint_of(id, HfConfig::parse(root.model_config(config), config));
  if (has(quant)) checkpoint.hf_quant = HfConfig::parse(root.model_config(quant), quant);
  return checkpoint;
}

std::optional<Checkpoint> in_folder(const std::string& id, const fs::path& library) {
  const fs::path folder = library / id.substr(id.rfind('/') + 1);
  if (!fs::exists(folder / "config.json")) return std::nullopt;
  return read_checkpoint(id, folder.string());
}

[[noreturn]] void refuse(const std::string& name, const std::vector<std::string>& known) {
  const std::string_view guess = nearest_word(name, {known.begin(), known.end()});
  if (!guess.empty()) throw UsageError(fmt::format("there is no model '{}'; did you mean {}?", name, guess));
  throw UsageError(
      fmt::format("there is no model '{}'; give a folder with a config.json, or one of the {} known ids "
                  "(perfatlas model --list)",
                  name, known.size()));
}

}  // namespace

std::vector<std::string> known_checkpoints(const ModelLibrary& library) {
  std::vector<std::string> ids;
  if (library.root != nullptr)
    for (const std::string& file : library.root->model_config_names())
      if (const auto id = id_of_file(file)) ids.push_back(*id);
  for (const std::string& folder : library.folders) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (fs::exists(entry.path() / "config.json")) ids.push_back(entry.path().filename().string());
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

Checkpoint find_checkpoint(const std::string& name_or_path, const ModelLibrary& library) {
  const fs::path path(name_or_path);
  if (fs::is_directory(path) || fs::is_regular_file(path)) return read_checkpoint(name_or_path, name_or_path);
  if (library.root != nullptr)
    if (auto found = in_root(name_or_path, *library.root)) return *std::move(found);
  for (const std::string& folder : library.folders)
    if (auto found = in_folder(name_or_path, folder)) return *std::move(found);
  for (const auto& [id, published] : kOtherIds)
    if (id == name_or_path && library.root != nullptr) {
      auto found = in_root(std::string(published), *library.root);
      if (found) found->name = name_or_path;
      if (found) return *std::move(found);
    }
  const std::vector<std::string> known = known_checkpoints(library);
  std::vector<std::string> same_name;
  for (const std::string& id : known)
    if (id.ends_with("/" + name_or_path)) same_name.push_back(id);
  if (same_name.size() == 1) return find_checkpoint(same_name.front(), library);
  refuse(name_or_path, known);
}

}  // namespace perfatlas::estimate
