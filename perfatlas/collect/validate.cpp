// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>

#include "perfatlas/base/file.h"
#include "perfatlas/collect/drift.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/collect/validate_impl.h"
#include "perfatlas/interp/leave_one_out.h"
#include "perfatlas/interp/slice.h"
#include "perfatlas/store/contradiction_text.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {

std::string row_text(const Row& row) {
  const std::string state =
      row.quality ? fmt::format(", {}", name_of(row.quality->cache_state)) : std::string();
  return fmt::format("{} [{}{}]: {:.6g} ms", case_text(row.c), row.kernel_source, state, latency_ms(row));
}

std::string row_text(const CheckedRows& rows, size_t i) {
  Row row;
  rows.get(i, row);
  return row_text(row);
}

namespace {

/// `count` different numbers below `all`, in random order (Knuth, "The Art of Computer Programming" 3.4.2, algorithm
/// S).
std::vector<uint64_t> random_numbers(uint64_t all, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> numbers;
  for (uint64_t i = 0; i < all && numbers.size() < count; ++i)
    if (random() % (all - i) < count - numbers.size()) numbers.push_back(i);
  std::shuffle(numbers.begin(), numbers.end(), random);
  return numbers;
}

/// A seeded sample of all rows.
std::vector<Row> sample_of(const std::vector<CheckedRows>& ops, const ValidateLimits& limits) {
  uint64_t all = 0;
  for (const CheckedRows& rows : ops) all += rows.size();
  std::vector<Row> sample;
  for (uint64_t number : random_numbers(all, limits.rerun_cases, limits.rerun_seed)) {
    auto rows = ops.begin();
    for (; number >= rows->size(); ++rows) number -= rows->size();
    rows->get(number, sample.emplace_back());
  }
  return sample;
}

}  // namespace

void check_reruns(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report) {
  DriftMeter own;
  for (const RerunRecord& rerun : input.reruns) own.add(rerun.first_ms, rerun.again_ms);
  report.drift = own.figures();
  if (!request.measure_again) return;
  DriftMeter meter;
  FindingBuilder deviating("re-run", request.limits.findings_per_check);
  FindingBuilder impossible("re-run not possible", request.limits.findings_per_check);
  for (const Row& row : sample_of(input.rows, request.limits)) {
    const double first_ms = latency_ms(row);
    const std::optional<double> again_ms = request.measure_again(row);
    if (!again_ms) {
      impossible.add(row_text(row));
      continue;
    }
    meter.add(first_ms, *again_ms);
    if (std::abs(*again_ms / first_ms - 1) > request.limits.rerun_deviation)
      deviating.add(fmt::format("{}, again {:.6g} ms ({:+.1f} %)", row_text(row), *again_ms,
                                100 * (*again_ms / first_ms - 1)));
  }
  report.rerun = meter.figures();
  const double share = report.rerun ? double(deviating.count()) / double(report.rerun->cases) : 0;
  deviating.finish(fmt::format("re-runs deviate by more than {:.0f} % (at most {:.0f} % of them may)",
                               100 * request.limits.rerun_deviation, 100 * request.limits.rerun_share),
                   share > request.limits.rerun_share, report);
  impossible.finish("rows that could not be measured again", false, report);
}

namespace {

/// Of each kernel and cache state, the rows of each slice.
using SliceRows = std::map<SliceKey, std::vector<uint32_t>>;

std::map<std::pair<std::string, CacheState>, SliceRows> slices_of(const CheckedRows& rows) {
  std::map<std::pair<std::string, CacheState>, SliceRows> groups;
  Row row;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (!(rows.latency_ms(i) > 0)) continue;  // reported by check_rows
    rows.get(i, row);
    const CacheState cache = row.quality ? row.quality->cache_state : CacheState::serving;
    groups[{rows.kernel(i), cache}][rows.op().slice_of(row.c.values)].push_back(i);
  }
  return groups;
}

std::vector<SlicePoint> points_of(const CheckedRows& rows, const std::vector<uint32_t>& numbers,
                                  size_t most) {
  std::vector<SlicePoint> points;
  const size_t count = std::min(numbers.size(), most);
  for (size_t i = 0; i < count; ++i) {
    const uint32_t number = numbers[i * numbers.size() / count];
    points.push_back({rows.values(number), rows.latency_ms(number), std::nullopt});
  }
  return points;
}

}  // namespace

void add_leave_one_out(const std::vector<CheckedRows>& ops, const ValidateRequest& request,
                       ValidateReport& report) {
  for (const CheckedRows& rows : ops) {
    const OpType& op = rows.op();
    if (op.axes.empty() || op.axes.size() > kMaxAxes) continue;
    for (const auto& [key, slices] : slices_of(rows)) {
      const SolContext context{request.system ? &*request.system : nullptr, key.second};
      std::vector<Residual> residuals;
      for (const auto& [slice, numbers] : slices) {
        const std::vector<SlicePoint> points = points_of(rows, numbers, request.limits.leave_one_out_slice);
        const auto own = leave_one_out_by_slice(op, points, context, request.limits.leave_one_out_points);
        residuals.insert(residuals.end(), own.begin(), own.end());
      }
      const ResidualSummary summary = summarize(residuals);
      report.leave_one_out.push_back({std::string(op.info.id), key.first, std::string(name_of(key.second)),
                                      summary.points, summary.misses, summary.p50, summary.p90, summary.max});
    }
  }
}

namespace {

/// Identities that are in a staging table more than once, ascending.
std::vector<uint64_t> repeated_identities(const OpType& op, const TableFile& file) {
  std::vector<uint64_t> all, repeated;
  read_table(op, file, [&](Row&& row) { all.push_back(row_identity(row)); });
  std::sort(all.begin(), all.end());
  for (size_t i = 1; i < all.size(); ++i)
    if (all[i] == all[i - 1] && (repeated.empty() || repeated.back() != all[i])) repeated.push_back(all[i]);
  return repeated;
}

/// The same identity twice in one staging table: the one thing that a table must never hold.
void check_duplicates(const OpRegistry& ops, const ValidateRequest& request, ValidateReport& report) {
  FindingBuilder duplicates("duplicate", request.limits.findings_per_check);
  for (const std::string& folder : request.collections)
    for (const auto& op : ops.ops()) {
      const TableFile file{.table = {}, .format = TableFormat::csv, .path = staging_path(folder, *op)};
      if (!file_exists(file.path)) continue;
      const std::vector<uint64_t> repeated = repeated_identities(*op, file);
      if (repeated.empty()) continue;
      std::map<uint64_t, double> seen;  // latencies
      read_table(*op, file, [&](Row&& row) {
        const uint64_t identity = row_identity(row);
        if (!std::binary_search(repeated.begin(), repeated.end(), identity)) return;
        const double latency = latency_ms(row);
        const auto [before, is_new] = seen.try_emplace(identity, latency);
        if (is_new) return;
        // `place` takes the last one.
        duplicates.add(before->second == latency
                           ? fmt::format("{}: {}", file.path, row_text(row))
                           : contradiction_text(file.path, row.c, {latency, before->second}));
        before->second = latency;
      });
    }
  duplicates.finish("rows of one identity twice in a table", true, report);
}

}  // namespace

ValidateReport validate(const OpRegistry& ops, const ValidateRequest& request) {
  const ValidateInput input =
      read_validate_input(request.collections, ops, request.limits.findings_per_check);
  if (input.empty())
    throw Error(
        fmt::format("nothing was recorded in {}; collect first", fmt::join(request.collections, ", ")));
  ValidateReport report;
  check_counts(input, request, report);
  check_duplicates(ops, request, report);
  check_rows(input.rows, request, report);
  check_curves(input.rows, request.limits, report);
  add_leave_one_out(input.rows, request, report);
  add_token_spread(input.rows, report);
  check_reruns(input, request, report);
  return report;
}

}  // namespace perfatlas
