// SPDX-License-Identifier: Apache-2.0
// YAML with errors that name the file, the line and the key.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace perfatlas {

/// A node and how it is called in messages: "PATH: gpu.mem_bw".
class YamlPlace {
 public:
  YamlPlace(YAML::Node node, std::string path, std::string key = {})
      : node_(std::move(node)), path_(std::move(path)), key_(std::move(key)) {}

  const YAML::Node& node() const { return node_; }
  [[noreturn]] void refuse(std::string_view reason) const;

  /// REQUIRES: has(key).
  YamlPlace at(const std::string& key) const;
  /// The key is there and not null.
  bool has(const std::string& key) const;
  /// Throws Error when the node is no map.
  const YamlPlace& need_map() const;
  /// Throws Error when the key is missing.
  YamlPlace need(const std::string& key) const;

  /// The value of a scalar. Throws Error.
  std::string text() const;
  double number() const;  // finite
  int64_t integer() const;

  std::optional<std::string> text_of(const std::string& key) const;
  std::optional<double> number_of(const std::string& key) const;
  std::optional<int64_t> integer_of(const std::string& key) const;

  /// Calls `visit` with every key and place of a map, or with the places of a sequence.
  void each_key(const std::function<void(const std::string&, const YamlPlace&)>& visit) const;
  void each_item(const std::function<void(const YamlPlace&)>& visit) const;

 private:
  YAML::Node node_;
  std::string path_, key_;
};

/// Reads `text` and calls `use` with its root. Throws Error "PATH:LINE: ..." when it is no YAML.
void with_yaml(std::string_view text, const std::string& path,
               const std::function<void(const YamlPlace&)>& use);

}  // namespace perfatlas
