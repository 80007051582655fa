// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// Every op of ops/CMakeLists.txt, in that order.
OpRegistry all_ops();

}  // namespace perfatlas
