// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {

void YamlPlace::refuse(std::string_view reason) const {
  throw Error(fmt::format("{}: {}{}{}; mend the file or fetch it again", document_->path(), key_,
                          key_.empty() ? "" : ": ", reason));
}

std::optional<YamlPlace> YamlPlace::find(const std::string& key) const {
  if (node_.kind != YamlDocument::Kind::map) return std::nullopt;
  for (uint32_t i = 0; i + 1 < node_.children; i += 2) {
    const YamlPlace name(*document_, node_.first_child + i, {});
    if (name.is_scalar() && name.scalar() == key)
      return YamlPlace(*document_, node_.first_child + i + 1, below(key));
  }
  return std::nullopt;
}

YamlPlace YamlPlace::at(const std::string& key) const { return find(key).value(); }

bool YamlPlace::has(const std::string& key) const {
  const auto child = find(key);
  return child && !child->is_null();
}

const YamlPlace& YamlPlace::need_map() const {
  if (node_.kind != YamlDocument::Kind::map) refuse("a map of keys is expected here");
  return *this;
}

YamlPlace YamlPlace::need(const std::string& key) const {
  need_map();
  if (!has(key)) refuse(fmt::format("the key {} is missing", key));
  return at(key);
}

std::string YamlPlace::text() const {
  if (!is_scalar()) refuse("a text is expected here");
  return std::string(scalar());
}

double YamlPlace::number() const {
  const auto value = is_scalar() ? parse_real(scalar()) : std::nullopt;
  if (!value || !std::isfinite(*value)) refuse("a finite number is expected here");
  return *value;
}

int64_t YamlPlace::integer() const {
  const auto value = is_scalar() ? parse_integer(scalar()) : std::nullopt;
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
  for (uint32_t i = 0; i + 1 < node_.children; i += 2) {
    const YamlPlace name(*document_, node_.first_child + i, {});
    if (!name.is_scalar()) refuse("keys must be texts");
    const std::string key(name.scalar());
    visit(key, YamlPlace(*document_, node_.first_child + i + 1, below(key)));
  }
}

void YamlPlace::each_item(const std::function<void(const YamlPlace&)>& visit) const {
  if (node_.kind != YamlDocument::Kind::sequence) refuse("a list is expected here");
  for (uint32_t i = 0; i < node_.children; ++i)
    visit(YamlPlace(*document_, node_.first_child + i, fmt::format("{}[{}]", key_, i)));
}

}  // namespace perfatlas
