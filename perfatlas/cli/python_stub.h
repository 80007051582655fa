// SPDX-License-Identifier: Apache-2.0
// The type stub of the Python package's op classes.
#pragma once

#include <string>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// The text of python/perfatlas/ops.pyi: one class per op, its fields as keyword arguments of __init__. Class names are
/// the ids in camel case, field names the flags of the command line.
std::string python_stub(const OpRegistry& ops);

}  // namespace perfatlas
