// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/hf_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "perfatlas/base/error.h"

namespace perfatlas {

std::string clipped(std::string_view text) {
  constexpr size_t kShown = 60;
  if (text.size() <= kShown) return std::string(text);
  // A character of several bytes is not cut apart.
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return fmt::format("{}...", text.substr(0, end));
}

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

/// Python writes Infinity and NaN, which JSON does not have; they mean "no limit" and become null.
static std::string without_infinities(std::string_view text) {
  std::string out;
  bool in_text = false, escaped = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && !escaped) in_text = !in_text;
    escaped = in_text && text[i] == '\\' && !escaped;
    size_t length = 0;
    for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
      if (!in_text && length == 0 && text.substr(i).starts_with(word)) length = word.size();
    if (length == 0) {
      out += text[i];
      continue;
    }
    out += "null";
    i += length - 1;
  }
  return out;
}

HfConfig HfConfig::parse(std::string_view text, const std::string& origin) {
  HfConfig config;
  config.origin_ = origin;
  auto root = nlohmann::json::parse(without_infinities(text), nullptr, /*allow_exceptions=*/false);
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

std::optional<int64_t> HfConfig::integer_if(std::string_view key, int64_t least, int64_t most) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  // An unsigned number beyond 63 bits reads as a negative one.
  if (!value->is_number_integer() || value->get<int64_t>() < least)
    throw Error(fmt::format("{}: key '{}' is {}, expected {}", origin_, key, clipped(value->dump()),
                            least > 0 ? "a positive integer" : "an integer of at least 0"));
  if (value->get<int64_t>() > most)
    throw Error(fmt::format("{}: key '{}' is {}, more than any model has (at most {})", origin_, key,
                            clipped(value->dump()), most));
  return value->get<int64_t>();
}

std::optional<int64_t> HfConfig::positive_if(std::string_view key) const {
  return integer_if(key, 1, kLargestSize);
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

std::vector<std::string> HfConfig::texts(std::string_view key) const {
  const nlohmann::json* value = find(key);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  const auto refuse = [&] { return Error(fmt::format("{}: key '{}' is no list of texts", origin_, key)); };
  if (!value->is_array()) throw refuse();
  for (const nlohmann::json& entry : *value) {
    if (!entry.is_string()) throw refuse();
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

int64_t HfConfig::integer_or(std::string_view key, int64_t otherwise) const {
  return integer_if(key, 0, kLargestSize).value_or(otherwise);
}

int64_t HfConfig::tokens(std::string_view key) const {
  return integer_if(key, 0, std::numeric_limits<int64_t>::max()).value_or(0);
}

std::vector<int64_t> HfConfig::integers(std::string_view key) const {
  const nlohmann::json* value = find(key);
  std::vector<int64_t> integers;
  if (value == nullptr) return integers;
  const auto refuse = [&] { return Error(fmt::format("{}: key '{}' is no list of integers", origin_, key)); };
  if (!value->is_array()) throw refuse();
  for (const nlohmann::json& entry : *value) {
    if (!entry.is_number_integer()) throw refuse();
    integers.push_back(entry.get<int64_t>());
  }
  return integers;
}

std::optional<double> HfConfig::positive_real_if(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number() || value->get<double>() <= 0)
    throw Error(
        fmt::format("{}: key '{}' is {}, expected a positive number", origin_, key, clipped(value->dump())));
  return value->get<double>();
}

std::optional<HfConfig> HfConfig::object_if(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_object()) throw Error(fmt::format("{}: key '{}' is no object", origin_, key));
  HfConfig part;
  part.root_ = std::make_shared<const nlohmann::json>(*value);
  part.origin_ = fmt::format("{} {}", origin_, key);
  return part;
}

HfConfig HfConfig::language_part() const {
  const auto part = object_if("text_config");
  return part ? *part : *this;
}

bool HfConfig::flag(std::string_view key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) throw Error(fmt::format("{}: key '{}' is neither true nor false", origin_, key));
  return value->get<bool>();
}

}  // namespace perfatlas
