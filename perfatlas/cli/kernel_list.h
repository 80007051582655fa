// SPDX-License-Identifier: Apache-2.0
// Which kernels the workers of this installation have for an op, and whether they can run here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

struct KernelStatus {
  std::string backend;
  std::string kernel;
  std::string reason;  // empty: runs here, at the op's default case
};

/// False for back ends whose kernels were compiled and tested on stand-ins only, before this release (docs/cuda.md).
bool seen_on_hardware(std::string_view backend);

/// Asks every worker executable of this installation. A worker that is missing or does not start contributes one
/// entry with kernel "-" and the reason.
std::vector<KernelStatus> kernels_here(const Case& c);

}  // namespace perfatlas
