// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/flat_json.h"

#include <fmt/format.h>

#include <limits>

namespace perfatlas {

FlatJson::FlatJson() = default;
FlatJson::~FlatJson() = default;

JsonView FlatJson::parse(std::string_view text) {
  scan(text);
  if (values_.front().kind != Kind::object) throw FlatJsonError("no JSON object");
  return {*this, 0};
}

const JsonView::Value* JsonView::find(std::string_view name) const {
  const auto& values = json_->values_;
  const auto look = [&](uint32_t from, uint32_t to) -> const Value* {
    for (uint32_t i = from; i < to; i = values[i].end)
      if (values[i].name() == name) {
        last_ = i;
        return &values[i];
      }
    return nullptr;
  };
  const uint32_t start = last_;
  const Value* const found = look(start, values[object_].end);
  return found != nullptr ? found : look(object_ + 1, start);
}

const JsonView::Value& JsonView::get(std::string_view name, Kind kind, std::string_view expected) const {
  const Value* const value = find(name);
  if (value == nullptr) throw FlatJsonError(fmt::format("member '{}' is missing", name));
  if (value->kind != kind) throw FlatJsonError(fmt::format("member '{}' is not {}", name, expected));
  return *value;
}

std::string_view JsonView::text(std::string_view name) const { return get(name, Kind::text, "a text").text; }
bool JsonView::truth(std::string_view name) const { return get(name, Kind::truth, "true or false").truth; }

double JsonView::real_of(const Value& value, std::string_view name) {
  if (value.kind == Kind::real) return value.real;
  if (value.kind == Kind::natural) return double(value.natural);
  if (value.kind == Kind::integer) return double(value.integer);
  throw FlatJsonError(fmt::format("member '{}' is not a number", name));
}

double JsonView::real(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) throw FlatJsonError(fmt::format("member '{}' is missing", name));
  return real_of(*value, name);
}

template <class T>
T JsonView::whole(std::string_view name) const {
  const Value* const value = find(name);
  if (value == nullptr) throw FlatJsonError(fmt::format("member '{}' is missing", name));
  if (value->kind == Kind::natural && value->natural <= uint64_t(std::numeric_limits<T>::max()))
    return T(value->natural);
  if constexpr (std::numeric_limits<T>::is_signed)
    if (value->kind == Kind::integer && value->integer >= int64_t(std::numeric_limits<T>::min()))
      return T(value->integer);
  throw FlatJsonError(fmt::format("member '{}' is not a whole number in its limits", name));
}
template int32_t JsonView::whole<int32_t>(std::string_view) const;
template int64_t JsonView::whole<int64_t>(std::string_view) const;
template uint32_t JsonView::whole<uint32_t>(std::string_view) const;
template uint64_t JsonView::whole<uint64_t>(std::string_view) const;

std::vector<double> JsonView::reals_of(uint32_t list, std::string_view name) const {
  const auto& values = json_->values_;
  if (values[list].kind != Kind::list)
    throw FlatJsonError(fmt::format("member '{}' is not a list of numbers", name));
  std::vector<double> reals;
  reals.reserve(values[list].end - list - 1);
  for (uint32_t i = list + 1; i < values[list].end; i = values[i].end)
    reals.push_back(real_of(values[i], name));
  return reals;
}

std::vector<double> JsonView::reals(std::string_view name) const {
  const Value& list = get(name, Kind::list, "a list of numbers");
  return reals_of(uint32_t(&list - json_->values_.data()), name);
}

std::vector<std::vector<double>> JsonView::lists_of_reals(std::string_view name) const {
  const auto& values = json_->values_;
  const Value& outer = get(name, Kind::list, "a list of lists of numbers");
  std::vector<std::vector<double>> lists;
  for (auto i = uint32_t(&outer - values.data()) + 1; i < outer.end; i = values[i].end)
    lists.push_back(reals_of(i, name));
  return lists;
}

JsonView JsonView::object(std::string_view name) const {
  return {*json_, uint32_t(&get(name, Kind::object, "an object") - json_->values_.data())};
}

std::vector<std::string_view> JsonView::names() const {
  const auto& values = json_->values_;
  std::vector<std::string_view> names;
  for (uint32_t i = object_ + 1; i < values[object_].end; i = values[i].end)
    names.push_back(values[i].name());
  return names;
}

}  // namespace perfatlas
