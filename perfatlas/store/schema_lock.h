// SPDX-License-Identifier: Apache-2.0
// The committed picture of every table's columns (data/schema.lock). A test compares it with the declarations, so
// that a column cannot change unnoticed: old rows stop meaning the same thing, and the op's revision says so.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// The lock of the declarations: per op a line "op ID revision N table STEM", then a line "  NAME TYPE" per column in
/// file order. Ops in registry order.
std::string schema_lock_text(const OpRegistry& ops);

/// Why `locked` (the committed text) no longer agrees with the declarations, one line each; empty when it does.
/// `breaking`: columns of an op changed although its revision did not; an update is refused as long as there are such.
/// `stale`: anything else that differs; an update accepts it.
struct SchemaLockProblems {
  std::vector<std::string> breaking;
  std::vector<std::string> stale;
};
SchemaLockProblems compare_schema_lock(const OpRegistry& ops, std::string_view locked);

}  // namespace perfatlas
