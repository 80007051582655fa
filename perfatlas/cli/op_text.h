// SPDX-License-Identifier: Apache-2.0
// An op declaration as text for people and JSON for machines; also the source of docs/ops.md.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// Fields with roles, axes, the axis decision and the speed of light; ends with a newline.
std::string op_text(const OpType& op);

/// {"op", "doc", "table", "revision", "fields": [...], "axes": [...], "axis_decision", "speed_of_light"}
nlohmann::json op_json(const OpType& op);

/// One section of docs/ops.md.
std::string op_markdown(const OpType& op);

}  // namespace perfatlas
