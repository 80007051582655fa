// SPDX-License-Identifier: Apache-2.0
// Fields of one op in a JSON object.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "perfatlas/aic/quant_mode.h"

namespace perfatlas::aic {

/// No size or count of a question is larger: four of them multiplied still have a finite speed of light.
inline constexpr int64_t kMostSize = int64_t(1) << 31;

/// Whether a size, count or factor of a question can be answered: at least 0, sizes at most kMostSize.
constexpr bool can_be_asked(int64_t size) { return size >= 0 && size <= kMostSize; }
inline bool can_be_asked(double factor) { return factor >= 0 && factor <= double(kMostSize); }

/// Keeps account of which fields were asked for, so that others can be refused.
class JsonFields {
 public:
  /// `owner` is what messages call the object. Throws UsageError when it is none. REQUIRES: both outlive this.
  JsonFields(std::string_view owner, const nlohmann::json& object);

  /// Sets `value` when the field is there and not null. Throws UsageError when it has another type, and for numbers
  /// that cannot be asked.
  template <class T>
  bool optional(std::string_view name, T& value) {
    const nlohmann::json* field = find(name);
    if (field == nullptr) return false;
    read(name, *field, value);
    return true;
  }
  /// The same; a missing field is an error.
  template <class T>
  void required(std::string_view name, T& value) {
    if (!optional(name, value)) missing(name);
  }
  /// The same of a mode. Throws UsageError when it is none of the kind, listing those.
  bool optional(std::string_view name, QuantMode& value, QuantKind kind);
  void required(std::string_view name, QuantMode& value, QuantKind kind);
  /// Required, one of the words.
  template <class T, size_t N>
  void choice(std::string_view name, T& value, const std::pair<std::string_view, T> (&words)[N]) {
    std::string given, known;
    required(name, given);
    for (const auto& [word, meaning] : words) {
      if (word == given) {
        value = meaning;
        return;
      }
      known += known.empty() ? "" : ", ";
      known += word;
    }
    wrong(name, known);
  }
  /// Required under one of two names.
  void either(std::string_view name, std::string_view other, QuantMode& value, QuantKind kind) {
    if (!optional(name, value, kind)) required(other, value, kind);
  }
  /// Fields of an object inside this one, which may be missing.
  template <class Read>
  void group(std::string_view name, Read read_fields) {
    const nlohmann::json* inside = find(name);
    if (inside == nullptr) return;
    JsonFields fields(name, *inside);
    read_fields(fields);
    fields.finish();
  }
  /// A field that has no effect here.
  void ignored(std::string_view name) { (void)find(name); }
  /// Null when the field is missing or null.
  const nlohmann::json* find(std::string_view name);
  /// Throws UsageError for a field that nobody asked for.
  void finish() const;
  [[noreturn]] void wrong(std::string_view name, std::string_view expected) const;

 private:
  void read(std::string_view name, const nlohmann::json& field, int64_t& value) const;
  void read(std::string_view name, const nlohmann::json& field, double& value) const;
  void read(std::string_view name, const nlohmann::json& field, bool& value) const;
  void read(std::string_view name, const nlohmann::json& field, std::string& value) const;
  [[noreturn]] void missing(std::string_view name) const;

  std::string_view owner_;
  const nlohmann::json& object_;
  std::vector<std::string_view> known_;
};

}  // namespace perfatlas::aic
