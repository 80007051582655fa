// SPDX-License-Identifier: Apache-2.0
// What every op of the engine has in common.
#pragma once

#include <cstdint>
#include <string>

#include "perfatlas/aic/quant_mode.h"

namespace perfatlas::aic {

/// Every op lists its fields once, in `static void fields(auto& op, auto& f)`, under the names of aiconfigurator's
/// constructor arguments:
///   f.required(name, member)         f.optional(name, member): with a usual value, that of a new op
///   f.choice(name, member, words)    one of {word, value}, required
///   f.either(name, name, member)     required under one of two names
///   f.group(name, [&](auto& f) {})   fields of an optional object inside
///   f.ignored(name)                  an argument without effect here
/// From it come the reading of JSON (op_json.h) and what is printed of an op.
struct OpBase {
  std::string name;         // in breakdowns
  double scale_factor = 1;  // on latency and energy: usually the number of layers
};

}  // namespace perfatlas::aic
