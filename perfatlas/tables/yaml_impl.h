// SPDX-License-Identifier: Apache-2.0
// YAML with errors that name the file, the line and the key.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/tables/packed_column.h"

namespace perfatlas {

class YamlPlace;

/// A document in one piece of bytes: it can be kept and mapped, because reading text takes a thousand times as long.
class YamlDocument {
 public:
  /// The first document of a text. `path` stands for the file in messages. Throws Error "PATH:LINE: ..." when it is no
  /// YAML, or refers to itself.
  static YamlDocument parse(std::string_view text, std::string path);
  /// Of bytes(). Nothing when they are no document.
  static std::optional<YamlDocument> of_bytes(SharedBytes bytes, std::string path);

  const SharedBytes& bytes() const { return bytes_; }
  const std::string& path() const { return path_; }
  /// REQUIRES: the document outlives it.
  YamlPlace root() const;

 private:
  friend class YamlPlace;
  class Builder;
  enum class Kind : uint32_t { null, scalar, map, sequence };
  struct Node {
    Kind kind = Kind::null;
    uint32_t children = 0, first_child = 0;  // of a map: keys and values alternate
    uint32_t text_begin = 0, text_bytes = 0;
  };
  YamlDocument(SharedBytes bytes, std::string path) : bytes_(std::move(bytes)), path_(std::move(path)) {}
  uint64_t nodes() const;
  Node node(size_t number) const;
  std::string_view text_of(const Node& node) const;

  SharedBytes bytes_;  // the number of nodes, the nodes, their texts
  std::string path_;
};

/// A value in a document and how it is called in messages: "PATH: gpu.mem_bw".
class YamlPlace {
 public:
  [[noreturn]] void refuse(std::string_view reason) const;

  bool is_null() const { return node_.kind == YamlDocument::Kind::null; }
  /// REQUIRES: has(key).
  YamlPlace at(const std::string& key) const;
  /// The key is there and not null.
  bool has(const std::string& key) const;
  /// Throws Error when this is no map.
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
  friend class YamlDocument;
  YamlPlace(const YamlDocument& document, size_t number, std::string key)
      : document_(&document), node_(document.node(number)), key_(std::move(key)) {}
  std::string below(const std::string& key) const { return key_.empty() ? key : key_ + "." + key; }
  std::optional<YamlPlace> find(const std::string& key) const;
  std::string_view scalar() const { return document_->text_of(node_); }
  bool is_scalar() const { return node_.kind == YamlDocument::Kind::scalar; }

  const YamlDocument* document_;
  YamlDocument::Node node_;
  std::string key_;
};

}  // namespace perfatlas
