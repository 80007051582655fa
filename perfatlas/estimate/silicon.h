// SPDX-License-Identifier: Apache-2.0
// Measured serving runs (silicon_sample.csv of published data), what the estimator says of them, and how far off it is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/estimate/estimate.h"

namespace perfatlas::estimate {

struct SiliconRun {
  std::string id;
  std::string source;  // where the measurement comes from, as the row says
  EstimateRequest request;
  std::string measured_version;  // of the framework; the tables' own version is asked instead
  double ttft_ms = 0, tpot_ms = 0;
  std::string incomplete;  // why there is nothing to ask: a column without a value
};

/// Throws Error naming line and column of what does not parse. Incomplete configurations are kept and say so.
std::vector<SiliconRun> parse_silicon_runs(std::string_view csv, const std::string& origin);

/// Runs are halved by their id, so that one half judges what was developed on the other: development has an even last
/// hexadecimal digit of SHA-1(id).
bool is_development_run(std::string_view id);

struct Prediction {
  double ttft_ms = 0, tpot_ms = 0;
};
struct Answer {
  std::optional<Prediction> prediction;
  std::string failure;  // without one
};

/// Rows fill columns that their model has no use for: widths of experts are taken out of the request where the model
/// has none. Throws as Session::model.
void drop_unused_widths(Session& session, EstimateRequest& request);

/// One answer per run, in order; on all cores.
std::vector<Answer> predict(Session& session, const std::vector<SiliconRun>& runs);

/// A results file of another estimator: CSV with a header that has id, ttft and tpot (also ttft_ms, tpot_ms,
/// pred_ttft_ms, pred_tpot_ms); empty cells are runs without an answer. Throws Error naming the missing column.
std::map<std::string, Prediction> parse_predictions(std::string_view csv, const std::string& origin);

/// Relative errors over a group of runs.
struct Accuracy {
  size_t runs = 0, answered = 0;
  double ttft_mape = 0, ttft_median = 0;  // percent, of the answered
  double tpot_mape = 0, tpot_median = 0;
};

struct AccuracyGroup {
  std::string kind, name;  // "system", "h200_sxm"; "all", ""
  Accuracy own;
  std::optional<Accuracy> peer;
  std::optional<Accuracy> own_where_peer;  // of the runs that the peer answered
};

/// By system, framework, model and mode, the whole first.
std::vector<AccuracyGroup> accuracy_by_group(const std::vector<SiliconRun>& runs,
                                             const std::vector<Answer>& answers,
                                             const std::map<std::string, Prediction>& peer);

}  // namespace perfatlas::estimate
