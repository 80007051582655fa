// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {

void YamlPlace::refuse(std::string_view reason) const {
  throw Error(fmt::format("{}: {}{}{}; mend the file or fetch it again", path_, key_,
                          key_.empty() ? "" : ": ", reason));
}

YamlPlace YamlPlace::at(const std::string& key) const {
  return {std::as_const(node_)[key], path_, key_.empty() ? key : key_ + "." + key};
}

bool YamlPlace::has(const std::string& key) const {
  if (!node_.IsMap()) return false;
  const YAML::Node child = std::as_const(node_)[key];
  return child.IsDefined() && !child.IsNull();
}

const YamlPlace& YamlPlace::need_map() const {
  if (!node_.IsMap()) refuse("a map of keys is expected here");
  return *this;
}

YamlPlace YamlPlace::need(const std::string& key) const {
  need_map();
  if (!has(key)) refuse(fmt::format("the key {} is missing", key));
  return at(key);
}

std::string YamlPlace::text() const {
  if (!node_.IsScalar()) refuse("a text is expected here");
  return node_.Scalar();
}

double YamlPlace::number() const {
  const auto value = node_.IsScalar() ? parse_real(node_.Scalar()) : std::nullopt;
  if (!value || !std::isfinite(*value)) refuse("a finite number is expected here");
  return *value;
}

int64_t YamlPlace::integer() const {
  const auto value = node_.IsScalar() ? parse_integer(node_.Scalar()) : std::nullopt;
  if (!value) refuse("a whole number is expected here");
  return *value;
}

std::optional<std::string> YamlPlace::text_of(const std::string& key) const {
  return has(key) ? std::optional(at(key).text()) : std::nullopt;
}
std::optional<double> YamlPlace::number_of(const std::string& key) const {
  return has(key) ? std::optional(at(key).number()) : std::nullopt;
}
std::optional<int64_t> YamlPlace::integer_of(const std::string& key) const {
  return has(key) ? std::optional(at(key).integer()) : std::nullopt;
}

void YamlPlace::each_key(const std::function<void(const std::string&, const YamlPlace&)>& visit) const {
  need_map();
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) refuse("keys must be texts");
    const std::string& key = entry.first.Scalar();
    visit(key, {entry.second, path_, key_.empty() ? key : key_ + "." + key});
  }
}

void YamlPlace::each_item(const std::function<void(const YamlPlace&)>& visit) const {
  if (!node_.IsSequence()) refuse("a list is expected here");
  for (size_t i = 0; i < node_.size(); ++i) visit({node_[i], path_, fmt::format("{}[{}]", key_, i)});
}

void with_yaml(std::string_view text, const std::string& path,
               const std::function<void(const YamlPlace&)>& use) {
  try {
    use(YamlPlace(YAML::Load(std::string(text)), path));
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}:{}: not readable as YAML ({}); mend the file or fetch it again", path,
                            error.mark.line + 1, error.msg));
  }
}

}  // namespace perfatlas
