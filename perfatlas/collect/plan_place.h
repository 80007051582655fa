// SPDX-License-Identifier: Apache-2.0
// Where a case stands in a small plan.
#pragma once

#include <cstdint>

namespace perfatlas {

/// A place in the static order of the case's family (points/family_order.h). The same on every shard.
struct PlanPlace {
  uint32_t place = 0;
  bool audit = false;  // predicted from the places before it
  bool operator==(const PlanPlace&) const = default;
};

}  // namespace perfatlas
