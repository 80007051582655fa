// SPDX-License-Identifier: Apache-2.0
// Strict reading of the JSON objects of protocol lines: every key is named, typed and known.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

/// One JSON object being read. Every failure throws Error: "<what>: <key> ...". Keys that were never asked for are
/// refused by finish(), so that a misspelt option cannot be taken for its default.
class ObjectReader {
 public:
  /// `what` names the object in errors ("sample request"). Throws when `value` is no object.
  ObjectReader(const nlohmann::json& value, std::string what);

  std::string text(std::string_view key);
  bool boolean(std::string_view key);
  double real(std::string_view key, double least);
  int64_t integer(std::string_view key, int64_t least, int64_t most);
  uint64_t natural(std::string_view key);
  /// One of the names in kEnumNames<E>.
  template <class E>
  E enumerator(std::string_view key) {
    if (const auto value = from_name<E>(text(key))) return *value;
    std::vector<std::string_view> names;
    for (const auto& entry : kEnumNames<E>) names.push_back(entry.name);
    fail(key, alternatives(names));
  }
  const nlohmann::json& object(std::string_view key);
  const nlohmann::json& array(std::string_view key);
  std::map<std::string, std::string> texts(std::string_view key);

  /// Whether the key is there; optional keys are asked for only then.
  bool has(std::string_view key) const { return value_.contains(key); }

  const std::string& what() const { return what_; }
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;
  /// REQUIRES: every key that may occur was read.
  void finish() const;

 private:
  const nlohmann::json& at(std::string_view key);
  /// "serving, hot or cold".
  static std::string alternatives(const std::vector<std::string_view>& names);

  const nlohmann::json& value_;
  std::string what_;
  std::vector<std::string> read_;
};

/// Parses one line. Throws Error on anything but one complete JSON value.
nlohmann::json parse_json_line(std::string_view line);

/// One line; bytes that are not UTF-8 are replaced, so that any error text can be sent.
std::string json_line(const nlohmann::ordered_json& value);

}  // namespace perfatlas
