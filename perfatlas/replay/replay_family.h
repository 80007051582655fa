// SPDX-License-Identifier: Apache-2.0
// Published rows of one family, as a kernel that can be "measured" by looking it up; and the part of them that is never
// measured, by which plans are judged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/interp/size_space.h"
#include "perfatlas/tables/aic_system.h"
#include "perfatlas/tables/table_rows.h"

namespace perfatlas {

struct ReplayFamily {
  std::string name;  // SizeSpace::family_name
  std::vector<FieldValues> values;
  std::vector<double> latency_ms;
};

/// The rows of a table by family, in order of name; of rows with equal fields (several kernels) the fastest.
std::vector<ReplayFamily> replay_families(const SizeSpace& space, const TableRows& rows);

/// Numbers of rows of a family, each list ascending.
struct ReplayHoldOut {
  std::vector<uint32_t> pool;          // may be measured
  std::vector<uint32_t> known_shapes;  // shapes of the pool at sizes that are nowhere in it
  std::vector<uint32_t> new_shapes;    // shapes that are nowhere in the pool
};

/// Held out of known shapes: gemm: eleven pairs m, m + 1 and m of 3, 5, 7, 11; context attention and context MLA: isl
/// of 1536, 6144, 10240; moe: tokens of 96, 320, 1536, 6144; others a random ninth. New shapes: 12 % of them (gemm:
/// with n and k of 256 to 16384); mla_*: 32 heads. Pairs go together, else a twin would tell.
ReplayHoldOut replay_hold_out(const SizeSpace& space, const ReplayFamily& family);

/// The machine as a published description says it is.
SystemSpec replay_system(const AicSystem& system);

}  // namespace perfatlas
