// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/report/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unordered_map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Takes records in journal order; a later record of a case replaces an earlier one.
class Gathering {
 public:
  explicit Gathering(ReportData& data) : data_(data) {}

  void operator()(const JournalRecord& record) { std::visit(*this, record); }
  void operator()(const RunRecord& run) { data_.runs.push_back({run, std::nullopt}); }
  void operator()(const BreakerRecord& breaker) { data_.breakers.push_back(breaker); }
  void operator()(const AuditRecord&) {}
  void operator()(const EndRecord& end) {
    if (!data_.runs.empty()) data_.runs.back().end = end;
  }
  void operator()(const RerunRecord& rerun) {
    if (rerun.first_ms <= 0) return;
    data_.reruns.push_back({rerun, rerun.again_ms / rerun.first_ms - 1});
    data_.reruns.back().record.samples_ms.clear();
  }
  void operator()(const CaseRecord& record) {
    const uint64_t key = key_of(record);
    const auto [place, inserted] = place_.try_emplace(key, records_.size());
    if (inserted) records_.emplace_back();
    CaseRecord& kept = records_[place->second] = record;
    kept.samples_ms = {};
  }

  std::vector<CaseRecord>& records() { return records_; }

 private:
  ReportData& data_;
  std::vector<CaseRecord> records_;
  std::unordered_map<uint64_t, size_t> place_;
};

std::string op_id_of(const CaseRecord& record) {
  return record.case_text.substr(0, record.case_text.find(' '));
}

void find_system(const std::string& folder, ReportData& data) {
  const std::string path = folder + "/system.json";
  if (file_exists(path)) {
    data.system = read_system_spec(path);
    return;
  }
  for (auto run = data.runs.rbegin(); run != data.runs.rend() && !data.system; ++run)
    if (!run->run.system_json.empty())
      data.system = parse_system_spec(run->run.system_json, "journal of run " + run->run.run_id).spec;
  if (!data.system)
    data.notes.push_back("No system description: speed of light is unknown. `perfatlas probe` writes one.");
}

ReportRow make_row(CaseRecord record, const std::optional<SystemSpec>& system) {
  ReportRow row;
  const Row& measured = *record.row;
  const CacheState cache = measured.quality ? measured.quality->cache_state : record.cache;
  if (system) row.sol = speed_of_light(measured.c.op->work(measured.c.values), *system, cache);
  if (measured.quality) row.efficiency = measured.quality->efficiency;
  if (!row.efficiency && row.sol && latency_ms(measured) > 0)
    row.efficiency = row.sol->ms() / latency_ms(measured);
  row.record = std::move(record);
  return row;
}

void add_skip(std::vector<SkipGroup>& groups, const CaseRecord& record) {
  const std::string op = op_id_of(record);
  auto group = std::find_if(groups.begin(), groups.end(),
                            [&](const SkipGroup& g) { return g.op == op && g.reason == record.reason; });
  if (group == groups.end()) group = groups.insert(group, {op, record.reason, record.repro, 0});
  ++group->cases;
}

void sort_into_ops(std::vector<CaseRecord>& records, const OpRegistry& ops, ReportData& data) {
  std::map<std::string, OpReport> by_id;
  for (CaseRecord& record : records) {
    OpReport& report = by_id[op_id_of(record)];
    ++report.outcomes[record.outcome];
    if (record.outcome == Outcome::skipped)
      add_skip(data.skips, record);
    else if (record.outcome != Outcome::measured)
      data.failures.push_back(record);
    else if (record.row)
      report.rows.push_back(make_row(std::move(record), data.system));
  }
  for (const auto& op : ops.ops()) {
    const auto found = by_id.find(std::string(op->info.id));
    if (found == by_id.end()) continue;
    found->second.op = op.get();
    data.ops.push_back(std::move(found->second));
  }
}

/// Everything but one field: which curve along that field a row lies on.
std::string curve_key(const ReportRow& row, size_t field) {
  FieldValues values = row.record.row->c.values;
  values[field] = 0;
  std::string key =
      fmt::format("{}|{}|{}", row.record.row->kernel_source, row.record.backend, int(row.record.cache));
  for (const int64_t value : values) fmt::format_to(std::back_inserter(key), "|{}", value);
  return key;
}

/// Logarithms of latency over what a straight line through both neighbours gives, in log-log; 0 at the ends and where
/// nothing can be said.
std::vector<double> bends(const std::vector<ReportRow*>& curve, size_t field) {
  const auto x = [&](size_t i) { return double(curve[i]->record.row->c.values[field]); };
  const auto ms = [&](size_t i) { return latency_ms(*curve[i]->record.row); };
  std::vector<double> result(curve.size(), 0.0);
  for (size_t i = 1; i + 1 < curve.size(); ++i) {
    if (x(i - 1) <= 0 || x(i + 1) <= x(i - 1) || std::min({ms(i - 1), ms(i), ms(i + 1)}) <= 0) continue;
    const double share = std::log(x(i) / x(i - 1)) / std::log(x(i + 1) / x(i - 1));
    result[i] = std::log(ms(i) / ms(i - 1)) - share * std::log(ms(i + 1) / ms(i - 1));
  }
  return result;
}

void mark_spikes(OpReport& op, size_t field) {
  std::map<std::string, std::vector<ReportRow*>> curves;
  for (ReportRow& row : op.rows) curves[curve_key(row, field)].push_back(&row);
  for (auto& [key, curve] : curves) {
    std::sort(curve.begin(), curve.end(), [&](const ReportRow* a, const ReportRow* b) {
      return a->record.row->c.values[field] < b->record.row->c.values[field];
    });
    const std::vector<double> bend = bends(curve, field);
    for (size_t i = 1; i + 1 < curve.size(); ++i) {
      // A spike bends its neighbours the other way: only the strongest bend of three is named.
      const double size = std::abs(bend[i]);
      if (size > std::log(kSpikeRatio) && size >= std::abs(bend[i - 1]) && size >= std::abs(bend[i + 1]))
        curve[i]->suspicions.push_back(fmt::format("spike: {:.2f} x its neighbours along {}",
                                                   std::exp(bend[i]), op.op->fields[field].column));
    }
  }
}

void mark_one(ReportRow& row) {
  const auto& quality = row.record.row->quality;
  if (row.record.suspect || row.efficiency.value_or(0) > 1)
    row.suspicions.push_back(row.efficiency
                                 ? fmt::format("faster than light: efficiency {:.2f}", *row.efficiency)
                                 : "faster than light");
  if (!quality) return;
  if (quality->throttled) row.suspicions.push_back("throttled in every attempt");
  if (quality->rel_ci95 > kNoisyRelCi95)
    row.suspicions.push_back(fmt::format("noisy: median +- {:.1f} %", quality->rel_ci95 * 100));
}

}  // namespace

void mark_suspicious(OpReport& op, const std::vector<ReportRerun>& reruns) {
  for (ReportRow& row : op.rows) mark_one(row);
  for (size_t field = 0; field < op.op->fields.size(); ++field)
    if (op.op->fields[field].role == Role::axis && op.op->fields[field].kind == ValueKind::integer)
      mark_spikes(op, field);
  std::unordered_map<uint64_t, double> deviations;
  for (const ReportRerun& rerun : reruns)
    if (std::abs(rerun.deviation) > kDriftDeviation) deviations[rerun.record.case_id] = rerun.deviation;
  for (ReportRow& row : op.rows)
    if (const auto found = deviations.find(row.record.case_id); found != deviations.end())
      row.suspicions.push_back(fmt::format("drifted: {:+.0f} % when measured again", found->second * 100));
}

ReportData gather_report(const std::string& folder, const OpRegistry& ops) {
  const std::vector<std::string> files = journal_files(folder);
  if (files.empty())
    throw Error(folder + ": holds no journal; give the folder that `perfatlas collect --out` wrote");
  ReportData data;
  const std::filesystem::path absolute = std::filesystem::absolute(folder).lexically_normal();
  data.folder = (absolute.has_filename() ? absolute : absolute.parent_path()).filename().string();
  Gathering gathering(data);
  data.damaged = read_journals(files, ops, [&](const JournalRecord& record) { gathering(record); });
  find_system(folder, data);
  sort_into_ops(gathering.records(), ops, data);
  std::stable_sort(data.skips.begin(), data.skips.end(),
                   [](const SkipGroup& a, const SkipGroup& b) { return a.cases > b.cases; });
  std::stable_sort(data.reruns.begin(), data.reruns.end(), [](const ReportRerun& a, const ReportRerun& b) {
    return std::abs(a.deviation) > std::abs(b.deviation);
  });
  for (OpReport& op : data.ops) {
    std::sort(op.rows.begin(), op.rows.end(), [](const ReportRow& a, const ReportRow& b) {
      return a.record.row->c.values < b.record.row->c.values;
    });
    mark_suspicious(op, data.reruns);
  }
  return data;
}

}  // namespace perfatlas
