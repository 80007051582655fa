// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cstring>
#include <map>
#include <sstream>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {

/// Makes a document of what the parser meets. A reference shares the children of what it refers to.
class YamlDocument::Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const std::string& path) : path_(path) {}

  std::string bytes() const {
    const uint64_t count = nodes_.size();
    std::string all(reinterpret_cast<const char*>(&count), sizeof count);
    all.append(reinterpret_cast<const char*>(nodes_.data()), nodes_.size() * sizeof(Node));
    return all + texts_;
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { finish({}, anchor); }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    finish({Kind::scalar, 0, 0, uint32_t(texts_.size()), uint32_t(value.size())}, anchor);
    texts_ += value;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto known = anchored_.find(anchor);
    if (known == anchored_.end())
      throw Error(fmt::format("{}:{}: a reference to the value that it is part of; mend the file", path_,
                              mark.line + 1));
    finish(known->second, YAML::NullAnchor);
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({Kind::sequence, anchor, {}});
  }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({Kind::map, anchor, {}});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A map or a sequence whose end has not come yet.
  struct Open {
    Kind kind;
    YAML::anchor_t anchor;
    std::vector<Node> children;
  };

  void finish(const Node& node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchored_[anchor] = node;
    (open_.empty() ? nodes_.front() : open_.back().children.emplace_back()) = node;
  }

  void close() {
    const Open closed = std::move(open_.back());
    open_.pop_back();
    const Node node{closed.kind, uint32_t(closed.children.size()), uint32_t(nodes_.size())};
    nodes_.insert(nodes_.end(), closed.children.begin(), closed.children.end());
    finish(node, closed.anchor);
  }

  const std::string& path_;
  std::vector<Node> nodes_ = std::vector<Node>(1);  // the first one is the root
  std::string texts_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchored_;
};

YamlDocument YamlDocument::parse(std::string_view text, std::string path) {
  Builder builder(path);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser(in).HandleNextDocument(builder);
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}:{}: not readable as YAML ({}); mend the file or fetch it again", path,
                            error.mark.line + 1, error.msg));
  }
  auto owned = std::make_shared<const std::string>(builder.bytes());
  const std::string_view all(*owned);
  return YamlDocument({all.data(), all.size(), std::move(owned)}, std::move(path));
}

std::optional<YamlDocument> YamlDocument::of_bytes(SharedBytes bytes, std::string path) {
  YamlDocument document(std::move(bytes), std::move(path));
  const size_t total = document.bytes_.bytes;
  if (total < sizeof(uint64_t)) return std::nullopt;
  const uint64_t count = document.nodes();
  if (count == 0 || count > (total - sizeof count) / sizeof(Node)) return std::nullopt;
  const size_t texts = total - sizeof count - count * sizeof(Node);
  for (size_t i = 0; i < count; ++i) {
    const Node n = document.node(i);
    if (uint64_t(n.first_child) + n.children > count || uint64_t(n.text_begin) + n.text_bytes > texts)
      return std::nullopt;
  }
  return document;
}

uint64_t YamlDocument::nodes() const {
  uint64_t count = 0;
  std::memcpy(&count, bytes_.data, sizeof count);
  return count;
}

YamlDocument::Node YamlDocument::node(size_t number) const {
  Node found;
  std::memcpy(&found, static_cast<const char*>(bytes_.data) + sizeof(uint64_t) + number * sizeof found,
              sizeof found);
  return found;
}

std::string_view YamlDocument::text_of(const Node& node) const {
  const char* const texts = static_cast<const char*>(bytes_.data) + sizeof(uint64_t) + nodes() * sizeof node;
  return {texts + node.text_begin, node.text_bytes};
}

YamlPlace YamlDocument::root() const { return {*this, 0, {}}; }

}  // namespace perfatlas
