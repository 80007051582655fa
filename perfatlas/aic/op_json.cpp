// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/op_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "perfatlas/aic/json_fields.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas::aic {
namespace {

/// What JSON says in other words than the members do.
void read_first(JsonFields&, auto&) {}

void read_first(JsonFields& f, DsaModule& op) {
  f.required("gemm_quant_mode", op.gemm_quant, QuantKind::gemm);
  op.use_for_projections(op.gemm_quant);
  int64_t every = 1;  // layers per indexer
  f.optional("index_topk_freq", every);
  if (every < 1) f.wrong("index_topk_freq", "a positive integer");
  op.full_fraction = 1 / double(every);
}

void read_first(JsonFields& f, WideEpMla& op) {
  f.required("tp_size", op.tp_size);
  if (op.tp_size < 1 || kLatentTableHeads % op.tp_size != 0)
    f.wrong("tp_size", fmt::format("a divisor of {}", kLatentTableHeads));
}

void read_first(JsonFields& f, ElementWise& op) {
  if (f.optional("bytes_per_token", op.bytes_per_token)) return;
  double inputs = 0, outputs = 0;
  f.required("dim_in", inputs);
  f.required("dim_out", outputs);
  op.bytes_per_token = 2 * inputs + 2 * outputs;
}

/// {"op": NAME, "ctor": {...}} or, of composed ops, {"op": NAME, their groups}.
Op nested(const nlohmann::json& object) {
  JsonFields f("an op inside another", object);
  std::string name;
  f.required("op", name);
  const nlohmann::json* fields = f.find("ctor");
  return op_from_json(name, fields != nullptr ? *fields : object);
}

std::vector<Op> read_group(JsonFields& f, std::string_view name) {
  const nlohmann::json* group = f.find(name);
  if (group == nullptr) return {};
  std::vector<Op> ops;
  if (group->is_array())
    for (const nlohmann::json& op : *group) ops.push_back(nested(op));
  else
    ops.push_back(nested(*group));
  return ops;
}

void read(JsonFields& f, Overlap& op) {
  op.group_a = read_group(f, "group_a");
  op.group_b = read_group(f, "group_b");
}

void read(JsonFields& f, Fallback& op) {
  op.primary = read_group(f, "primary");
  op.fallback = read_group(f, "fallback");
}

template <class T>
void read(JsonFields& f, T& op) {
  f.optional("scale_factor", op.scale_factor);
  read_first(f, op);
  T::fields(op, f);
}

template <class T>
void read_op(std::string_view name, const nlohmann::json& fields, T& op) {
  JsonFields f(name, fields);
  f.ignored("op");
  f.optional("name", op.name);
  read(f, op);
  f.finish();
}

/// One name of an op.
struct OpClass {
  std::string_view name;
  Op (*read)(std::string_view name, const nlohmann::json& fields) = nullptr;
};

template <class T, size_t place>
Op read_class(std::string_view name, const nlohmann::json& fields) {
  Op op;
  T& value = op.value.emplace<T>();
  if constexpr (requires { value.take_class(place); }) value.take_class(place);
  read_op(name, fields, value);
  return op;
}

template <class T, size_t... place>
constexpr void put_classes(OpClass*& at, std::index_sequence<place...>) {
  ((*at++ = {T::kClasses[place], &read_class<T, place>}), ...);
}

/// Of every op, sorted by name.
template <class... T>
constexpr auto classes_of(std::type_identity<std::variant<T...>>) {
  std::array<OpClass, (T::kClasses.size() + ...)> all{};
  OpClass* at = all.data();
  (put_classes<T>(at, std::make_index_sequence<T::kClasses.size()>{}), ...);
  std::sort(all.begin(), all.end(), [](const OpClass& a, const OpClass& b) { return a.name < b.name; });
  return all;
}

constexpr auto kClasses = classes_of(std::type_identity<Op::Value>{});

}  // namespace

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const OpClass& known : kClasses) names.push_back(known.name);
  return names;
}

std::string_view op_name(const Op& op) {
  return std::visit(
      []<class T>(const T& value) {
        if constexpr (requires { value.class_place(); })
          return T::kClasses[value.class_place()];
        else
          return T::kClasses[0];
      },
      op.value);
}

Op op_from_json(std::string_view name, const nlohmann::json& fields) {
  const auto known =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const OpClass& c) { return c.name == name; });
  if (known == kClasses.end())
    throw UsageError(fmt::format("there is no op '{}'; ops are {}", name, join_words(op_names())));
  return known->read(known->name, fields);
}

PhasePoint phase_point_from_json(const nlohmann::json& question) {
  JsonFields f("the question", question);
  PhasePoint at;
  f.optional("is_context", at.context);
  f.optional("batch_size", at.batch);
  f.optional("s", at.s);
  f.optional("prefix", at.prefix);
  f.optional("imbalance", at.imbalance);
  at.tokens = at.context ? at.batch * at.s : at.batch;
  f.optional("x", at.tokens);
  return at;
}

}  // namespace perfatlas::aic
