// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/op_text.h"

#include <fmt/format.h>

#include <type_traits>

#include "perfatlas/aic/op_json.h"
#include "perfatlas/estimate/op_weights.h"

namespace perfatlas::estimate {
namespace {

/// Writes the fields of an op, see OpBase.
class FieldTexts {
 public:
  struct Field {
    std::string_view name;
    std::string text;
    bool optional;
  };

  void required(std::string_view name, const auto& value) {
    fields_.push_back({name, text_of(value), false});
  }
  void optional(std::string_view name, const auto& value) { fields_.push_back({name, text_of(value), true}); }
  template <class T, size_t N>
  void choice(std::string_view name, const T& value, const std::pair<std::string_view, T> (&words)[N]) {
    for (const auto& [word, meaning] : words)
      if (meaning == value) fields_.push_back({name, std::string(word), false});
  }
  void required(std::string_view name, aic::QuantMode value, aic::QuantKind) { required(name, value); }
  void optional(std::string_view name, aic::QuantMode value, aic::QuantKind) { optional(name, value); }
  void either(std::string_view name, std::string_view, aic::QuantMode value, aic::QuantKind) {
    required(name, value);
  }
  void group(std::string_view, auto write) { write(*this); }
  void ignored(std::string_view) {}

  const std::vector<Field>& all() const { return fields_; }

 private:
  static std::string text_of(const std::string& value) { return value; }
  static std::string text_of(aic::QuantMode mode) { return std::string(name_of(mode)); }
  template <class T>
  static std::string text_of(const T& value) requires std::is_arithmetic_v<T> {
    return fmt::format("{}", value);
  }

  std::vector<Field> fields_;
};

/// What optional fields are when nobody says otherwise.
template <class T>
T usual(const T& op) {
  T value;
  if constexpr (requires { value.context = op.context; }) value.context = op.context;
  return value;
}
aic::DsaModule usual(const aic::DsaModule& op) {
  aic::DsaModule value;
  value.context = op.context;
  value.use_for_projections(op.gemm_quant);
  return value;
}

template <class T>
void write_fields(const T& op, OpText& text) {
  const T most = usual(op);
  FieldTexts given, expected;
  T::fields(op, given);
  T::fields(most, expected);
  for (size_t i = 0; i < given.all().size(); ++i) {
    const FieldTexts::Field& field = given.all()[i];
    if (!field.optional || field.text != expected.all()[i].text)
      text.fields.emplace_back(field.name, field.text);
  }
}

std::vector<OpText> texts_of(const std::vector<aic::Op>& ops) {
  std::vector<OpText> texts;
  for (const aic::Op& op : ops) texts.push_back(op_text(op));
  return texts;
}

}  // namespace

OpText op_text(const aic::Op& op) {
  OpText text;
  text.name = op.name();
  text.kind = aic::op_name(op);
  text.weight_bytes = weight_bytes(op);
  std::visit(
      [&](const auto& value) {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, aic::Overlap>) {
          text.first = texts_of(value.group_a);
          text.second = texts_of(value.group_b);
        } else if constexpr (std::is_same_v<Value, aic::Fallback>) {
          text.first = texts_of(value.primary);
          text.second = texts_of(value.fallback);
        } else {
          text.count = value.scale_factor;
          write_fields(value, text);
        }
      },
      op.value);
  return text;
}

}  // namespace perfatlas::estimate
