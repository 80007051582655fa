// SPDX-License-Identifier: Apache-2.0
// A typed view of a Hugging Face config.json that names what is missing.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

/// Counts and widths beyond this are no model's; below it, products of three of them fit 64 bits with room to spare.
inline constexpr int64_t kLargestSize = int64_t(1) << 20;

/// A value of a file as an error shows it: its first 60 characters.
std::string clipped(std::string_view text);

class HfConfig {
 public:
  /// `path` is a config.json or a folder that holds one. Throws Error when it cannot be read or is no JSON object.
  static HfConfig load(const std::string& path);
  /// The same from text; `origin` names it in errors.
  static HfConfig parse(std::string_view text, const std::string& origin);

  /// architectures[0]. Throws Error when absent.
  std::string architecture() const;

  /// A positive integer of at most kLargestSize that must be there. Throws Error naming the key and the file.
  int64_t positive(std::string_view key) const;
  /// Nothing when absent or null; throws Error when it is there but no such integer.
  std::optional<int64_t> positive_if(std::string_view key) const;
  std::optional<std::string> text_if(std::string_view key) const;
  /// Empty when absent or null; throws Error when it is there but no list of texts.
  std::vector<std::string> texts(std::string_view key) const;
  /// A positive number of any kind, or nothing when absent or null.
  std::optional<double> positive_real_if(std::string_view key) const;
  /// False when absent or null.
  bool flag(std::string_view key) const;
  /// An integer from 0 to kLargestSize; `otherwise` when absent or null. Throws Error when it is there but no such
  /// integer.
  int64_t integer_or(std::string_view key, int64_t otherwise) const;
  /// A length in tokens, which may be as large as a file can write it; 0 when absent or null. Throws Error when it is
  /// there but no integer of at least 0.
  int64_t tokens(std::string_view key) const;
  /// Empty when absent or null; throws Error when it is there but no list of integers.
  std::vector<int64_t> integers(std::string_view key) const;

  bool has(std::string_view key) const { return find(key) != nullptr; }

  /// The object under `key`, with errors naming it; nothing when absent or null. Throws Error when it is no object.
  std::optional<HfConfig> object_if(std::string_view key) const;
  /// The language model of a multimodal configuration: `text_config` when there is one, else the whole.
  HfConfig language_part() const;

  const std::string& origin() const { return origin_; }
  /// The whole object, for parts without a fixed shape (quantisation by module). Always an object.
  const nlohmann::json& json() const { return *root_; }

 private:
  /// The integer of a key, or nothing; throws Error when it is no integer from `least` to `most`.
  std::optional<int64_t> integer_if(std::string_view key, int64_t least, int64_t most) const;
  const nlohmann::json* find(std::string_view key) const;
  std::shared_ptr<const nlohmann::json> root_;
  std::string origin_;
};

}  // namespace perfatlas
