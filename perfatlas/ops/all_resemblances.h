// SPDX-License-Identifier: Apache-2.0
// What the ops declare about slices that may stand in for one another (schema/resemblance.h), as data.
#pragma once

#include <vector>

#include "perfatlas/schema/derive.h"
#include "perfatlas/schema/resemblance.h"

namespace perfatlas {

/// Of one op.
struct OpResemblance {
  std::string_view op_id;
  Resemblance resemblance;
  Likeness (*likeness)(const FieldValues&) = nullptr;
};

/// Appends what Op declares, if it does: both `static constexpr Resemblance resemblance` and `likeness() const`.
template <class Op>
void add_resemblance(std::vector<OpResemblance>& all) {
  if constexpr (requires(const Op op) { op.likeness(); })
    all.push_back({Op::info.id, Op::resemblance,
                   [](const FieldValues& values) { return decode<Op>(values).likeness(); }});
}

/// Of every op of ops/CMakeLists.txt that declares one, in that order.
std::vector<OpResemblance> all_resemblances();

}  // namespace perfatlas
