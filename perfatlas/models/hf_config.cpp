// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/hf_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "perfatlas/base/error.h"

namespace perfatlas {

HfConfig HfConfig::load(const std::string& path) {
  const std::filesystem::path given(path);
  const std::filesystem::path file = std::filesystem::is_directory(given) ? given / "config.json" : given;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.good())
    throw Error(fmt::format("{}: cannot be read; give a model folder with a config.json", file.string()));
  return parse(text.str(), file.string());
}

HfConfig HfConfig::parse(std::string_view text, const std::string& origin) {
  HfConfig config;
  config.origin_ = origin;
  auto root = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object())
    throw Error(fmt::format("{}: is no JSON object; expected a Hugging Face config.json", origin));
  config.root_ = std::make_shared<const nlohmann::json>(std::move(root));
  return config;
}

const nlohmann::json* HfConfig::find(std::string_view key) const {
  const auto at = root_->find(key);
  return at == root_->end() || at->is_null() ? nullptr : &*at;
}

std::string HfConfig::architecture() const {
  const nlohmann::json* list = find("architectures");
  if (list == nullptr || !list->is_array() || list->empty() || !list->front().is_string())
    throw Error(fmt::format("{}: key 'architectures' is missing; expected [\"...ForCausalLM\"]", origin_));
  return list->front().get<std::string>();
}

std::optional<int64_t> HfConfig::positive_if(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer() || value->get<int64_t>() < 1)
    throw Error(fmt::format("{}: key '{}' is {}, expected a positive integer", origin_, key, value->dump()));
  return value->get<int64_t>();
}

int64_t HfConfig::positive(std::string_view key) const {
  const auto value = positive_if(key);
  if (!value) throw Error(fmt::format("{}: key '{}' is missing", origin_, key));
  return *value;
}

std::optional<std::string> HfConfig::text_if(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) throw Error(fmt::format("{}: key '{}' is no text", origin_, key));
  return value->get<std::string>();
}

bool HfConfig::flag(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) throw Error(fmt::format("{}: key '{}' is neither true nor false", origin_, key));
  return value->get<bool>();
}

}  // namespace perfatlas
