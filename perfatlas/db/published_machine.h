// SPDX-License-Identifier: Apache-2.0
// The machine behind published tables, as speeds of light want it.
#pragma once

#include "perfatlas/hw/system_spec.h"
#include "perfatlas/schema/op_type.h"
#include "perfatlas/tables/aic_system.h"

namespace perfatlas {

/// The description's peaks as data-sheet figures; the last-level cache stays unknown, so that rows measured with
/// flushed caches are charged to memory. For an op between GPUs (it has a field num_gpus) the wire takes the place of
/// memory: the bandwidth between that many.
SystemSpec published_machine(const AicSystem& system, const OpType& op, const FieldValues& values);

}  // namespace perfatlas
