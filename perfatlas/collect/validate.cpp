// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <tuple>
#include <unordered_map>

#include "perfatlas/base/file.h"
#include "perfatlas/collect/drift.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/collect/validate_impl.h"
#include "perfatlas/interp/leave_one_out.h"
#include "perfatlas/interp/slice.h"
#include "perfatlas/store/contradiction_text.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {

std::vector<const MeasuredRow*> newest_rows(const CollectionContents& contents) {
  std::unordered_map<uint64_t, const MeasuredRow*> newest;
  std::vector<uint64_t> order;
  for (const MeasuredRow& measured : contents.rows) {
    const MeasuredRow*& known = newest[row_identity(measured.row)];
    if (known == nullptr) order.push_back(row_identity(measured.row));
    if (known == nullptr ||
        std::tie(known->run_id, known->sequence) <= std::tie(measured.run_id, measured.sequence))
      known = &measured;
  }
  std::vector<const MeasuredRow*> rows;
  for (const uint64_t identity : order) rows.push_back(newest.at(identity));
  return rows;
}

std::string row_text(const Row& row) {
  const std::string state =
      row.quality ? fmt::format(", {}", name_of(row.quality->cache_state)) : std::string();
  return fmt::format("{} [{}{}]: {:.6g} ms", case_text(row.c), row.kernel_source, state, latency_ms(row));
}

void check_reruns(const std::vector<const MeasuredRow*>& rows, const CollectionContents& contents,
                  const ValidateRequest& request, ValidateReport& report) {
  DriftMeter own;
  for (const RerunRecord& rerun : contents.reruns) own.add(rerun.first_ms, rerun.again_ms);
  report.drift = own.figures();
  if (!request.measure_again) return;
  std::vector<const MeasuredRow*> sample = rows;
  std::shuffle(sample.begin(), sample.end(), std::mt19937_64(request.limits.rerun_seed));
  sample.resize(std::min(sample.size(), request.limits.rerun_cases));
  DriftMeter meter;
  FindingBuilder deviating("re-run", request.limits.findings_per_check);
  FindingBuilder impossible("re-run not possible", request.limits.findings_per_check);
  for (const MeasuredRow* measured : sample) {
    const double first_ms = latency_ms(measured->row);
    const std::optional<double> again_ms = request.measure_again(measured->row);
    if (!again_ms) {
      impossible.add(row_text(measured->row));
      continue;
    }
    meter.add(first_ms, *again_ms);
    if (std::abs(*again_ms / first_ms - 1) > request.limits.rerun_deviation)
      deviating.add(fmt::format("{}, again {:.6g} ms ({:+.1f} %)", row_text(measured->row), *again_ms,
                                100 * (*again_ms / first_ms - 1)));
  }
  report.rerun = meter.figures();
  const double share = report.rerun ? double(deviating.count()) / double(report.rerun->cases) : 0;
  deviating.finish(fmt::format("re-runs deviate by more than {:.0f} % (at most {:.0f} % of them may)",
                               100 * request.limits.rerun_deviation, 100 * request.limits.rerun_share),
                   share > request.limits.rerun_share, report);
  impossible.finish("rows that could not be measured again", false, report);
}

void add_leave_one_out(const std::vector<const MeasuredRow*>& rows, const ValidateRequest& request,
                       ValidateReport& report) {
  std::map<std::tuple<std::string_view, std::string, CacheState>,
           std::pair<const OpType*, std::vector<SlicePoint>>>
      groups;
  for (const MeasuredRow* measured : rows) {
    const Row& row = measured->row;
    if (!(latency_ms(row) > 0)) continue;  // reported by check_rows
    const CacheState cache = row.quality ? row.quality->cache_state : CacheState::serving;
    auto& [op, points] = groups[{row.c.op->info.id, row.kernel_source, cache}];
    op = row.c.op;
    points.push_back({row.c.values, latency_ms(row), std::nullopt});
  }
  for (const auto& [key, group] : groups) {
    const auto& [op, points] = group;
    if (op->axes.empty() || op->axes.size() > kMaxAxes) continue;
    const SolContext context{request.system ? &*request.system : nullptr, std::get<CacheState>(key)};
    const auto residuals = leave_one_out_by_slice(*op, points, context, request.limits.leave_one_out_points);
    const ResidualSummary summary = summarize(residuals);
    report.leave_one_out.push_back({std::string(std::get<0>(key)), std::get<1>(key),
                                    std::string(name_of(std::get<CacheState>(key))), summary.points,
                                    summary.misses, summary.p50, summary.p90, summary.max});
  }
}

namespace {

/// The same identity twice in one staging table: the one thing that a table must never hold.
void check_duplicates(const OpRegistry& ops, const ValidateRequest& request, ValidateReport& report) {
  FindingBuilder duplicates("duplicate", request.limits.findings_per_check);
  for (const std::string& folder : request.collections)
    for (const auto& op : ops.ops()) {
      const std::string path = staging_path(folder, *op);
      if (!file_exists(path)) continue;
      std::unordered_map<uint64_t, double> seen;  // latencies
      for (const Row& row : read_csv_table(*op, path)) {
        const double latency = latency_ms(row);
        const auto [before, is_new] = seen.try_emplace(row_identity(row), latency);
        if (is_new) continue;
        // `place` takes the last one.
        duplicates.add(before->second == latency
                           ? fmt::format("{}: {}", path, row_text(row))
                           : contradiction_text(path, row.c, {latency, before->second}));
        before->second = latency;
      }
    }
  duplicates.finish("rows of one identity twice in a table", true, report);
}

}  // namespace

ValidateReport validate(const OpRegistry& ops, const ValidateRequest& request) {
  const CollectionContents contents = read_collections(request.collections, ops);
  if (contents.runs.empty() && contents.rows.empty() && contents.outcomes.empty())
    throw Error(
        fmt::format("nothing was recorded in {}; collect first", fmt::join(request.collections, ", ")));
  const std::vector<const MeasuredRow*> rows = newest_rows(contents);
  ValidateReport report;
  check_counts(contents, request, report);
  check_duplicates(ops, request, report);
  check_rows(rows, request, report);
  check_curves(rows, request.limits, report);
  add_leave_one_out(rows, request, report);
  add_token_spread(rows, report);
  check_reruns(rows, contents, request, report);
  return report;
}

}  // namespace perfatlas
