// SPDX-License-Identifier: Apache-2.0
// Makes the OpType of an op from its declaration. The only templates over ops in the project live here and in
// backends/kernel.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

#include "perfatlas/base/text.h"
#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Text and integer forms of one field type.
template <class T>
struct FieldCodec;

template <>
struct FieldCodec<int64_t> {
  static constexpr ValueKind kind = ValueKind::integer;
  static int64_t encode(int64_t value) { return value; }
  static int64_t decode(int64_t value) { return value; }
  static std::string format(int64_t value) { return std::to_string(value); }
  static std::optional<int64_t> parse(std::string_view text) { return parse_integer(text); }
};

template <>
struct FieldCodec<bool> {
  static constexpr ValueKind kind = ValueKind::boolean;
  static int64_t encode(bool value) { return value; }
  static bool decode(int64_t value) { return value != 0; }
  static std::string format(int64_t value) { return value ? "true" : "false"; }
  static std::optional<int64_t> parse(std::string_view text) {
    if (text == "true" || text == "True" || text == "1") return 1;
    if (text == "false" || text == "False" || text == "0") return 0;
    return std::nullopt;
  }
};

template <>
struct FieldCodec<Symbol> {
  static constexpr ValueKind kind = ValueKind::symbol;
  static int64_t encode(Symbol value) { return value.id(); }
  static Symbol decode(int64_t value) { return Symbol::from_id(value); }
  static std::string format(int64_t value) { return std::string(Symbol::from_id(value).text()); }
  static std::optional<int64_t> parse(std::string_view text) {
    if (text.find_first_of(" ,\"\r\n\t") != text.npos) return std::nullopt;  // would not survive a CSV cell
    return Symbol(text).id();
  }
};

template <class E>
requires std::is_enum_v<E>
struct FieldCodec<E> {
  static constexpr ValueKind kind = ValueKind::enumeration;
  static int64_t encode(E value) { return int64_t(value); }
  static E decode(int64_t value) { return E(value); }
  static std::string format(int64_t value) { return std::string(name_of(E(value))); }
  static std::optional<int64_t> parse(std::string_view text) {
    for (const auto& entry : kEnumNames<E>)
      if (text == entry.name || (!entry.alias.empty() && text == entry.alias)) return int64_t(entry.value);
    return std::nullopt;
  }
};

template <class Op>
FieldValues encode(const Op& op) {
  FieldValues values{};
  size_t i = 0;
  std::apply(
      [&](const auto&... f) {
        ((values[i++] = FieldCodec<std::decay_t<decltype(op.*f.member)>>::encode(op.*f.member)), ...);
      },
      Op::fields);
  return values;
}

template <class Op>
Op decode(const FieldValues& values) {
  static const Op kDefaults{};  // making one looks up the texts of its symbols
  Op op = kDefaults;
  size_t i = 0;
  std::apply(
      [&](const auto&... f) {
        ((op.*f.member = FieldCodec<std::decay_t<decltype(op.*f.member)>>::decode(values[i++])), ...);
      },
      Op::fields);
  return op;
}

/// What every declaration must have; operands, reference and aic_cases are optional.
template <class Op>
concept Operation =
    std::default_initializable<Op> && std::equality_comparable<Op> && std::tuple_size_v<decltype(Op::fields)>
<= kMaxFields&& requires(const Op op) {
  { Op::info } -> std::convertible_to<OpInfo>;
  { Op::layout } -> std::convertible_to<TableLayout>;
  { Op::axes.size() } -> std::convertible_to<size_t>;
  { op.why_invalid() } -> std::convertible_to<std::string_view>;
  { op.work() } -> std::same_as<Work>;
};

namespace derive_detail {

/// Owner: Op, or a base of it that ops with the same columns share.
template <class Op, class Owner, class T>
FieldType field_type(const Field<Owner, T>& f) {
  using Codec = FieldCodec<T>;
  FieldType type{.column = f.column,
                 .flag = f.flag,
                 .doc = f.doc,
                 .role = f.role,
                 .distinguishes = f.distinguishes,
                 .keyed = f.key != nullptr,
                 .kind = Codec::kind};
  type.default_value = Codec::encode(Op{}.*f.member);
  type.format = &Codec::format;
  type.parse = &Codec::parse;
  if (f.absent) type.absent = [value = Codec::encode(*f.absent)](const FieldValues&) { return value; };
  if (f.absent_function != nullptr)
    type.absent = [function = f.absent_function](const FieldValues& values) {
      return Codec::encode((decode<Op>(values).*function)());
    };
  if constexpr (std::is_enum_v<T>)
    for (const auto& entry : kEnumNames<T>) type.names.emplace_back(int64_t(entry.value), entry.name);
  return type;
}

template <class Op>
int64_t key_of(const FieldValues& values, size_t index) {
  int64_t key = values[index];
  size_t i = 0;
  std::apply(
      [&](const auto&... f) {
        ((i++ == index && f.key != nullptr ? void(key = (decode<Op>(values).*f.key)()) : void()), ...);
      },
      Op::fields);
  return key;
}

/// The field that axis I is, or nothing.
template <class Op, size_t I>
std::optional<size_t> field_of_axis() {
  constexpr int64_t Op::*member = Op::axes[I].member;
  std::optional<size_t> found;
  size_t i = 0;
  const auto compare = [&](const auto& f) {
    if constexpr (std::is_convertible_v<decltype(f.member), int64_t Op::*>)
      if (member != nullptr && member == static_cast<int64_t Op::*>(f.member)) found = i;
    ++i;
  };
  std::apply([&](const auto&... f) { (compare(f), ...); }, Op::fields);
  return found;
}

template <class Op, size_t I>
AxisType axis_type() {
  return {Op::axes[I].name,
          Op::axes[I].transform,
          Op::axes[I].beyond,
          [](const FieldValues& values) { return Op::axes[I].get(decode<Op>(values)); },
          [](FieldValues& values, int64_t coordinate) {
            Op op = decode<Op>(values);
            Op::axes[I].set(op, coordinate);
            values = encode(op);
          },
          field_of_axis<Op, I>()};
}

/// The product of the two largest integer fields stays far below 2^63, so that no declaration's product of two sizes
/// and a constant overflows: nothing near it is computed in one launch.
template <class Op>
bool sizes_fit(const FieldValues& values) {
  constexpr double kMostProduct = 0x1p46;
  double largest = 1, second = 1;
  size_t i = 0;
  const auto see = [&](bool is_integer) {
    const double size = std::abs(double(values[i++]));
    if (!is_integer || size <= second) return;
    second = std::min(size, largest);
    largest = std::max(size, largest);
  };
  std::apply(
      [&](const auto&... f) {
        (see(FieldCodec<std::decay_t<decltype(std::declval<Op>().*f.member)>>::kind == ValueKind::integer),
         ...);
      },
      Op::fields);
  return largest * second <= kMostProduct;
}

template <class Op>
std::string_view why_invalid(const FieldValues& values) {
  if (!sizes_fit<Op>(values))
    return "sizes are too large: the product of the two largest must be at most 2^46";
  return decode<Op>(values).why_invalid();
}

template <class Op>
std::function<Work(const int64_t* at)> work_along(const FieldValues& prototype) {
  return [op = decode<Op>(prototype)](const int64_t* at) {
    Op there = op;
    [&]<size_t... I>(std::index_sequence<I...>) { (Op::axes[I].set(there, at[I]), ...); }
    (std::make_index_sequence<Op::axes.size()>{});
    return there.work();
  };
}

template <class Op>
void derive_optional(OpType& type) {
  if constexpr (requires(const Op op) { op.operands(); })
    type.operands = [](const FieldValues& v) { return decode<Op>(v).operands(); };
  if constexpr (requires(const Op op, std::vector<HostOperand>& data) { op.reference(data); })
    type.reference = [](const FieldValues& v, std::vector<HostOperand>& data) {
      decode<Op>(v).reference(data);
    };
  if constexpr (requires(const ModelShapes& s, const CaseSink<Op>& sink) { Op::model_cases(s, sink); })
    type.model_cases = [](const ModelShapes& shapes, const std::function<void(const FieldValues&)>& sink) {
      Op::model_cases(shapes, [&](const Op& op) { sink(encode(op)); });
    };
  if constexpr (requires(const AicGrid& g, const CaseSink<Op>& sink) { Op::aic_cases(g, sink); })
    type.aic_cases = [](const AicGrid& grid, const std::function<void(const FieldValues&)>& sink) {
      Op::aic_cases(grid, [&](const Op& op) { sink(encode(op)); });
    };
}

template <class Op>
void derive_published(OpType& type) {
  if constexpr (requires(const Op op, Symbol kernel) { Op::published(op, kernel); })
    type.published = [](const FieldValues& v, int64_t kernel) -> std::optional<FieldValues> {
      const std::optional<Op> op = Op::published(decode<Op>(v), Symbol::from_id(kernel));
      if (!op) return std::nullopt;
      return encode(*op);
    };
}

}  // namespace derive_detail

template <Operation Op>
OpType make_op_type() {
  OpType type;
  type.info = Op::info;
  type.layout = Op::layout;
  std::apply([&](const auto&... f) { (type.fields.push_back(derive_detail::field_type<Op>(f)), ...); },
             Op::fields);
  [&]<size_t... I>(std::index_sequence<I...>) {
    (type.axes.push_back(derive_detail::axis_type<Op, I>()), ...);
  }
  (std::make_index_sequence<Op::axes.size()>{});
  type.why_invalid = &derive_detail::why_invalid<Op>;
  type.work = [](const FieldValues& v) { return decode<Op>(v).work(); };
  type.work_along = &derive_detail::work_along<Op>;
  type.key_of = &derive_detail::key_of<Op>;
  derive_detail::derive_optional<Op>(type);
  derive_detail::derive_published<Op>(type);
  return type;
}

/// REQUIRES: `type` was made from Op.
template <Operation Op>
Case make_case(const OpType& type, const Op& op) {
  return {&type, encode(op)};
}

}  // namespace perfatlas
