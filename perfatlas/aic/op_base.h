// SPDX-License-Identifier: Apache-2.0
// What every op of the engine has in common.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "perfatlas/aic/quant_mode.h"

namespace perfatlas::aic {

/// The names under which an op is asked for: those of aiconfigurator's classes, and of the passes of quantisation,
/// which it keeps inside GEMM. An op with two is one type here and one class per phase there.
template <size_t count>
using OpClasses = std::array<std::string_view, count>;

/// Every op has a `static constexpr OpClasses<count> kClasses` and lists its fields once, in
/// `static void fields(auto& op, auto& f)`, under the names of aiconfigurator's constructor arguments:
///   f.required(name, member)         f.optional(name, member): with a usual value, that of a new op
///   the same with a QuantKind        members that are a QuantMode
///   f.choice(name, member, words)    one of {word, value}, required
///   f.either(name, name, member)     required under one of two names
///   f.group(name, [&](auto& f) {})   fields of an optional object inside
///   f.ignored(name)                  an argument without effect here
/// From it come the reading of JSON (op_json.h) and what is printed of an op.
struct OpBase {
  std::string name;         // in breakdowns
  double scale_factor = 1;  // on latency and energy: usually the number of layers

  /// Which of kClasses the op is, and how it becomes that.
  size_t class_place() const { return 0; }
  void take_class(size_t) {}

  bool operator==(const OpBase&) const = default;
};

/// One type here, a class for prefill and one for decode there.
struct PhaseOp : OpBase {
  bool context = true;

  size_t class_place() const { return context ? 0 : 1; }
  void take_class(size_t place) { context = place == 0; }

  bool operator==(const PhaseOp&) const = default;
};

}  // namespace perfatlas::aic
