// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/protocol_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "perfatlas/base/error.h"

namespace perfatlas {

using nlohmann::json;

ObjectReader::ObjectReader(const json& value, std::string what) : value_(value), what_(std::move(what)) {
  if (!value.is_object()) throw Error(fmt::format("{}: expected a JSON object", what_));
}

void ObjectReader::fail(std::string_view key, std::string_view expected) const {
  throw Error(fmt::format("{}: '{}' must be {}", what_, key, expected));
}

const json& ObjectReader::at(std::string_view key) {
  const auto found = value_.find(key);
  if (found == value_.end()) throw Error(fmt::format("{}: '{}' is missing", what_, key));
  read_.emplace_back(key);
  return *found;
}

std::string ObjectReader::text(std::string_view key) {
  const json& value = at(key);
  if (!value.is_string()) fail(key, "a text");
  return value.get<std::string>();
}

bool ObjectReader::boolean(std::string_view key) {
  const json& value = at(key);
  if (!value.is_boolean()) fail(key, "true or false");
  return value.get<bool>();
}

double ObjectReader::real(std::string_view key, double least) {
  const json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) fail(key, "a finite number");
  if (value.get<double>() < least) fail(key, fmt::format("at least {}", least));
  return value.get<double>();
}

int64_t ObjectReader::integer(std::string_view key, int64_t least, int64_t most) {
  const json& value = at(key);
  const std::string expected = fmt::format("an integer from {} to {}", least, most);
  if (!value.is_number_integer()) fail(key, expected);
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t(INT64_MAX)) fail(key, expected);
  const auto number = value.get<int64_t>();
  if (number < least || number > most) fail(key, expected);
  return number;
}

uint64_t ObjectReader::natural(std::string_view key) {
  const json& value = at(key);
  if (!value.is_number_unsigned()) fail(key, "a non-negative integer");
  return value.get<uint64_t>();
}

const json& ObjectReader::object(std::string_view key) {
  const json& value = at(key);
  if (!value.is_object()) fail(key, "an object");
  return value;
}

const json& ObjectReader::array(std::string_view key) {
  const json& value = at(key);
  if (!value.is_array()) fail(key, "an array");
  return value;
}

std::map<std::string, std::string> ObjectReader::texts(std::string_view key) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : object(key).items()) {
    if (!value.is_string()) fail(key, "an object of texts");
    out[name] = value.get<std::string>();
  }
  return out;
}

std::string ObjectReader::alternatives(const std::vector<std::string_view>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == names.size() ? " or " : ", ", names[i]);
  return text;
}

void ObjectReader::finish() const {
  for (const auto& [key, value] : value_.items())
    if (std::find(read_.begin(), read_.end(), key) == read_.end())
      throw Error(fmt::format("{}: unknown key '{}'", what_, key));
}

json parse_json_line(std::string_view line) {
  json value = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded())
    throw Error(fmt::format("protocol line is not one JSON object: '{}'", line.substr(0, 80)));
  return value;
}

std::string json_line(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace perfatlas
