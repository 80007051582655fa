// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/json_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::aic {
namespace {

/// tp_size, moe_ep_size, attention_dp_size, ...: what sizes are divided by.
bool counts_ranks(std::string_view name) { return name.ends_with("p_size"); }

}  // namespace

JsonFields::JsonFields(std::string_view owner, const nlohmann::json& object)
    : owner_(owner), object_(object) {
  if (!object.is_object()) throw UsageError(fmt::format("{}: its fields must be a JSON object", owner));
}

const nlohmann::json* JsonFields::find(std::string_view name) {
  known_.push_back(name);
  const auto at = object_.find(name);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

bool JsonFields::optional(std::string_view name, QuantMode& value, QuantKind kind) {
  const nlohmann::json* field = find(name);
  if (field == nullptr) return false;
  const auto mode = field->is_string() ? quant_mode(field->get_ref<const std::string&>()) : std::nullopt;
  const std::span<const QuantMode> known = modes_of(kind);
  if (!mode || std::find(known.begin(), known.end(), *mode) == known.end()) {
    std::vector<std::string_view> names;
    for (const QuantMode one : known) names.push_back(name_of(one));
    wrong(name, join_words(names));
  }
  value = *mode;
  return true;
}

void JsonFields::required(std::string_view name, QuantMode& value, QuantKind kind) {
  if (!optional(name, value, kind)) missing(name);
}

void JsonFields::finish() const {
  for (const auto& [name, value] : object_.items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      throw UsageError(
          fmt::format("{} has no field '{}'; its fields are {}", owner_, name, join_words(known_)));
}

void JsonFields::wrong(std::string_view name, std::string_view expected) const {
  throw UsageError(
      fmt::format("{}: {} is {}, expected {}", owner_, name, object_.at(std::string(name)).dump(), expected));
}

void JsonFields::missing(std::string_view name) const {
  throw UsageError(fmt::format("{} needs the field '{}'", owner_, name));
}

void JsonFields::read(std::string_view name, const nlohmann::json& field, int64_t& value) const {
  if (!field.is_number_integer()) wrong(name, "an integer");
  // What does not fit is a negative number as a signed one.
  value = field.get<int64_t>();
  const int64_t least = counts_ranks(name) ? 1 : 0;
  if (value < least || !can_be_asked(value))
    wrong(name, fmt::format("an integer from {} to {}", least, kMostSize));
}

void JsonFields::read(std::string_view name, const nlohmann::json& field, double& value) const {
  if (!field.is_number()) wrong(name, "a number");
  value = field.get<double>();
  if (!can_be_asked(value)) wrong(name, fmt::format("a number from 0 to {}", kMostSize));
}

void JsonFields::read(std::string_view name, const nlohmann::json& field, bool& value) const {
  if (!field.is_boolean()) wrong(name, "true or false");
  value = field.get<bool>();
}

void JsonFields::read(std::string_view name, const nlohmann::json& field, std::string& value) const {
  if (!field.is_string()) wrong(name, "a text");
  value = field.get_ref<const std::string&>();
}

}  // namespace perfatlas::aic
