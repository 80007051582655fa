// SPDX-License-Identifier: Apache-2.0
// Estimate requests as JSON, so that one process answers many.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>

#include "perfatlas/estimate/estimate.h"

namespace perfatlas::estimate {

/// Keys have the names of the arguments of aiconfigurator's cli_estimate (model_path, system_name, tp_size, ...), with
/// the same defaults; model_path and system_name must be there. Throws UsageError naming an unknown key or a value of
/// another kind.
EstimateRequest request_from_json(const nlohmann::json& object, Session& session);

/// --nextn: a number of at least 0, or auto: what the checkpoint was trained for. Throws UsageError.
int64_t drafted_tokens_from_text(const std::string& text, const ServedModel& model);
/// Of the tokens that a step drafts, those accepted on average. Nothing is accepted where nothing is drafted ('auto' of
/// a model without such layers), whatever was said. Throws UsageError where tokens are drafted and nothing was said.
double accepted_tokens(int64_t drafted, std::optional<double> said);

/// SILICON, HYBRID, EMPIRICAL or SOL in any case. Throws UsageError listing them.
aic::Mode database_mode_from_name(const std::string& name);

/// Requests at once when nobody says.
inline constexpr int64_t kDefaultBatch = 128;

}  // namespace perfatlas::estimate
