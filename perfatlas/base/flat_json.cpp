// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/flat_json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace perfatlas {

/// What nlohmann's parser calls; false ends the reading.
class FlatJson::Events {
 public:
  explicit Events(FlatJson& into) : into_(into) {}

  bool null() { return add(Kind::null) != nullptr; }
  bool boolean(bool value) { return (add(Kind::truth)->truth = value, true); }
  bool number_integer(int64_t value) { return (add(Kind::integer)->integer = value, true); }
  bool number_unsigned(uint64_t value) { return (add(Kind::natural)->natural = value, true); }
  bool number_float(double value, const std::string&) { return (add(Kind::real)->real = value, true); }
  bool string(const std::string& value) { return (add(Kind::text)->text = keep(value), true); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // not in texts
  bool start_object(size_t) { return open(Kind::object); }
  bool start_array(size_t) { return open(Kind::list); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(const std::string& name) {
    name_ = keep(name);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) {
    problem_ = error.what();
    return false;
  }
  const std::string& problem() const { return problem_; }

 private:
  Value* add(Kind kind) {
    auto& values = into_.values_;
    Value& value = values.emplace_back();
    value.name_begin = name_.data();
    value.name_size = uint32_t(name_.size());
    value.kind = kind;
    value.end = uint32_t(values.size());
    name_ = {};
    return &value;
  }
  bool open(Kind kind) {
    open_.push_back(uint32_t(into_.values_.size()));
    add(kind);
    return true;
  }
  bool close() {
    into_.values_[open_.back()].end = uint32_t(into_.values_.size());
    open_.pop_back();
    return true;
  }
  /// REQUIRES: room for every text, which is never longer than the JSON that says it.
  std::string_view keep(const std::string& text) {
    char* const to = into_.texts_.get() + into_.used_;
    text.copy(to, text.size());
    into_.used_ += text.size();
    return {to, text.size()};
  }

  FlatJson& into_;
  std::vector<uint32_t> open_;  // objects and lists around the next value
  std::string_view name_;
  std::string problem_;
};

FlatJson::FlatJson() = default;
FlatJson::~FlatJson() = default;

JsonView FlatJson::parse(std::string_view text) {
  values_.clear();
  used_ = 0;
  if (room_ < text.size()) {
    room_ = std::max(text.size(), 2 * room_);
    texts_ = std::make_unique<char[]>(room_);
  }
  Events events(*this);
  if (!nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &events))
    throw FlatJsonError(events.problem());
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
