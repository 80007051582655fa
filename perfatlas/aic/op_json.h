// SPDX-License-Identifier: Apache-2.0
// Questions to the engine as JSON, one object each. Ops and their fields have the names of aiconfigurator's classes and
// constructor arguments (GEMM with n, k, quant_mode, ...).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/aic/op.h"
#include "perfatlas/aic/phase_point.h"

namespace perfatlas::aic {

/// The names of all ops, sorted.
std::vector<std::string_view> op_names();

/// The name under which `op` is asked for.
std::string_view op_name(const Op& op);

/// The op of `name` with the fields of a JSON object; scale_factor and name are fields of every op. Fields without a
/// usual value must be there. Throws UsageError naming the op, the field and what is known.
Op op_from_json(std::string_view name, const nlohmann::json& fields);

/// is_context, batch_size, s, prefix, x (tokens), imbalance. Without x: batch_size * s tokens in context, batch_size in
/// generation; is_context is true unless said otherwise.
PhasePoint phase_point_from_json(const nlohmann::json& question);

}  // namespace perfatlas::aic
