// SPDX-License-Identifier: Apache-2.0
// JSON texts read by the million: all values of one text in one block that the next text reuses, where a usual tree
// allocates for every one of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/base/error.h"

namespace perfatlas {

class JsonView;

/// The text is no JSON object, or a member is missing or of another type than was asked for.
class FlatJsonError : public Error {
 public:
  using Error::Error;
};

class FlatJson {
 public:
  FlatJson();
  ~FlatJson();

  /// The object that `text` is (RFC 8259, UTF-8); it and all views of it hold until the next call and while `text` is
  /// there. Throws FlatJsonError.
  JsonView parse(std::string_view text);

 private:
  friend class JsonView;
  enum class Kind : uint8_t { null, truth, natural, integer, real, text, list, object };
  struct Value {
    std::string_view name() const { return {name_begin, name_size}; }
    const char* name_begin = nullptr;
    uint32_t name_size = 0;
    Kind kind = Kind::null;
    uint32_t end = 0;  // the first value behind this one and all that it holds
    union {
      bool truth;
      uint64_t natural = 0;
      int64_t integer;
      double real;
    };
    std::string_view text;
  };
  class Scanner;

  void scan(std::string_view text);

  std::vector<Value> values_;   // depth first
  std::vector<uint32_t> open_;  // objects and lists around the next value, while scanning
  std::unique_ptr<char[]>
      texts_;  // names and texts that are written with escapes; others stay where they are
  size_t room_ = 0, used_ = 0;
};

/// An object of a FlatJson. What is asked for and is missing, or of another type, is a FlatJsonError that names it.
class JsonView {
 public:
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string_view text(std::string_view name) const;
  double real(std::string_view name) const;
  /// A whole number within the limits of T.
  template <class T>
  T whole(std::string_view name) const;
  bool truth(std::string_view name) const;
  std::vector<double> reals(std::string_view name) const;
  std::vector<std::vector<double>> lists_of_reals(std::string_view name) const;
  JsonView object(std::string_view name) const;
  /// Of all members.
  std::vector<std::string_view> names() const;

 private:
  friend class FlatJson;
  using Value = FlatJson::Value;
  using Kind = FlatJson::Kind;
  JsonView(const FlatJson& json, uint32_t index) : json_(&json), object_(index), last_(index + 1) {}

  const Value* find(std::string_view name) const;
  const Value& get(std::string_view name, Kind kind, std::string_view expected) const;
  static double real_of(const Value& value, std::string_view name);
  std::vector<double> reals_of(uint32_t list, std::string_view name) const;

  const FlatJson* json_;
  uint32_t object_;
  // Members are mostly asked for in the order in which they are written, optional ones twice (has() and then the
  // value): the search goes on from the last one found.
  mutable uint32_t last_;
};

}  // namespace perfatlas
