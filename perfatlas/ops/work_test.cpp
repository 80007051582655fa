// SPDX-License-Identifier: Apache-2.0
// What holds for the work() of every op, from which speeds of light and efficiencies follow.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "perfatlas/ops/all_ops.h"
#include "perfatlas/schema/operand.h"

namespace perfatlas {
namespace {

std::vector<double> figures(const Work& w) {
  return {w.flops,        w.weight_bytes_read, w.kv_bytes_read, w.activation_bytes_read, w.kv_bytes_written,
          w.bytes_written};
}

/// A valid case of an op near its defaults: some axes and choices are others. Nothing when the draw made no sense.
std::optional<Case> draw_case(const OpType& op) {
  Case c{&op, op.defaults()};
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const FieldType& field = op.fields[i];
    if (field.names.empty() || *rc::gen::inRange(0, 4) == 0) continue;
    const FieldValues before = c.values;
    c.values[i] = field.names[*rc::gen::inRange<size_t>(0, field.names.size())].first;
    if (!op.why_invalid(c.values).empty()) c.values = before;
  }
  for (const AxisType& axis : op.axes) {
    if (axis.set == nullptr || *rc::gen::inRange(0, 3) == 0) continue;
    const FieldValues before = c.values;
    axis.set(c.values, *rc::gen::inRange<int64_t>(1, 300));
    if (!op.why_invalid(c.values).empty()) c.values = before;
  }
  if (!op.why_invalid(c.values).empty()) return std::nullopt;
  return c;
}

RC_GTEST_PROP(Work, IsFiniteAndNeverLessForMore, ()) {
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) {
    const auto c = draw_case(*op);
    if (!c) continue;
    const Work less = op->work(c->values);
    for (const double figure : figures(less)) RC_ASSERT(std::isfinite(figure) && figure >= 0);
    for (const AxisType& axis : op->axes) {
      if (axis.set == nullptr) continue;
      FieldValues larger = c->values;
      axis.set(larger, axis.get(c->values) + *rc::gen::inRange<int64_t>(1, 64));
      if (!op->why_invalid(larger).empty()) continue;
      const Work more = op->work(larger);
      RC_LOG() << case_text(*c) << " along " << axis.name << '\n';
      RC_ASSERT(more.flops >= less.flops);
      RC_ASSERT(more.bytes() >= less.bytes());
    }
  }
}

/// Bytes of the operands of some roles.
double bytes_of_roles(const Operands& operands, std::initializer_list<OperandRole> roles) {
  double bytes = 0;
  for (const Operand& operand : operands)
    for (const OperandRole role : roles)
      if (operand.role == role) bytes += operand.bytes();
  return bytes;
}

RC_GTEST_PROP(Work, NeverMovesMoreThanTheOperandsHold, ()) {
  constexpr double kRounding = 1 + 1e-9;
  constexpr double kScales =
      1 + 1.0 / 8;  // of groups of 16 four-bit numbers, a byte each; they are no operands
  const OpRegistry ops = all_ops();
  for (const auto& op : ops.ops()) {
    if (!op->measurable()) continue;
    const auto c = draw_case(*op);
    if (!c) continue;
    const Work w = op->work(c->values);
    const Operands operands = op->operands(c->values);
    RC_LOG() << case_text(*c) << '\n';
    RC_ASSERT(w.weight_bytes_read <= bytes_of_roles(operands, {OperandRole::weight}) * kScales);
    // What is updated in place is read and written.
    const double cache = bytes_of_roles(operands, {OperandRole::kv});
    RC_ASSERT(w.kv_bytes_read + w.kv_bytes_written <= 2 * cache * kRounding);
    const double warm = bytes_of_roles(operands, {OperandRole::activation, OperandRole::output});
    RC_ASSERT(w.activation_bytes() <= 2 * warm * kRounding);
  }
}

}  // namespace
}  // namespace perfatlas
