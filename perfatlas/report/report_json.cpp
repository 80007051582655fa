// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>

#include "perfatlas/base/hash.h"
#include "perfatlas/page/page.h"
#include "perfatlas/report/report.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

/// Six significant digits: enough to read, short to store.
Json rounded(double value) { return std::strtod(fmt::format("{:.6g}", value).c_str(), nullptr); }

Json rounded(const std::optional<double>& value) { return value ? rounded(*value) : Json(); }

/// Numbers text tables, so that a row names its kernel by a small integer.
class Names {
 public:
  size_t index(const std::string& name) {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found != names_.end()) return size_t(found - names_.begin());
    names_.push_back(name);
    return names_.size() - 1;
  }
  const std::vector<std::string>& list() const { return names_; }

 private:
  std::vector<std::string> names_;
};

Json field_value(const FieldType& field, int64_t value) {
  if (field.kind == ValueKind::integer) return value;
  return field.format(value);
}

// After the op's fields, every row has these, in this order.
constexpr const char* kRowColumns[] = {
    "kernel", "cache", "launch",     "latency_ms", "p10_ms",        "p90_ms",    "rel_ci95",   "samples",
    "sol_ms", "bound", "efficiency", "clock_mhz",  "temperature_c", "energy_mj", "suspicions", "repro"};

Json row_json(const ReportRow& row, Names& kernels) {
  const Row& measured = *row.record.row;
  Json json = Json::array();
  for (size_t i = 0; i < measured.c.op->fields.size(); ++i)
    json.push_back(field_value(measured.c.op->fields[i], measured.c.values[i]));
  const RowQuality quality = measured.quality.value_or(RowQuality{});
  json.push_back(kernels.index(measured.kernel_source));
  json.push_back(name_of(measured.quality ? quality.cache_state : row.record.cache));
  json.push_back(name_of(quality.launch));
  json.push_back(rounded(latency_ms(measured)));
  json.push_back(rounded(quality.latency_p10_ms));
  json.push_back(rounded(quality.latency_p90_ms));
  json.push_back(rounded(quality.rel_ci95));
  json.push_back(quality.samples);
  json.push_back(row.sol ? rounded(row.sol->ms()) : Json());
  json.push_back(row.sol ? Json(row.sol->bound()) : Json());
  json.push_back(rounded(row.efficiency));
  json.push_back(rounded(quality.clock_mhz));
  json.push_back(rounded(quality.temperature_c));
  json.push_back(rounded(quality.energy_mj));
  json.push_back(fmt::format("{}", fmt::join(row.suspicions, "; ")));
  json.push_back(row.record.repro);
  return json;
}

/// The rows to show, in their order: all, or the suspicious ones and then those with the smallest hashed ids, which
/// is a sample that does not change from one report to the next.
std::vector<const ReportRow*> choose_rows(const OpReport& op, size_t limit) {
  std::vector<const ReportRow*> rows;
  for (const ReportRow& row : op.rows) rows.push_back(&row);
  if (rows.size() <= limit) return rows;
  const auto rank = [](const ReportRow* row) {
    return std::pair(row->suspicions.empty(), combine_hashes(row->record.case_id, 1));
  };
  std::nth_element(rows.begin(), rows.begin() + ptrdiff_t(limit), rows.end(),
                   [&](const ReportRow* a, const ReportRow* b) { return rank(a) < rank(b); });
  rows.resize(limit);
  std::sort(rows.begin(), rows.end());  // they lie in one vector, in order
  return rows;
}

Json outcomes_json(const std::map<Outcome, uint64_t>& outcomes) {
  Json json = Json::object();
  for (const auto& entry : kEnumNames<Outcome>) {
    const auto found = outcomes.find(entry.value);
    json[std::string(entry.name)] = found == outcomes.end() ? 0 : found->second;
  }
  return json;
}

std::string_view role_name(Role role) {
  return role == Role::exact ? "exact" : role == Role::axis ? "axis" : "recorded";
}

Json op_json(const OpReport& op, size_t limit, Names& kernels) {
  Json json = {{"id", op.op->info.id}, {"doc", op.op->info.doc}, {"sol", op.op->info.sol}};
  json["outcomes"] = outcomes_json(op.outcomes);
  json["fields"] = Json::array();
  for (const FieldType& field : op.op->fields)
    json["fields"].push_back({{"column", field.column},
                              {"doc", field.doc},
                              {"role", role_name(field.role)},
                              {"integer", field.kind == ValueKind::integer}});
  json["measured"] = op.rows.size();
  json["rows"] = Json::array();
  for (const ReportRow* row : choose_rows(op, limit)) json["rows"].push_back(row_json(*row, kernels));
  return json;
}

Json run_json(const ReportRun& r) {
  Json json = {{"run_id", r.run.run_id},
               {"date", r.run.date},
               {"host", r.run.host},
               {"command", r.run.command},
               {"tool", r.run.tool_version},
               {"backend", r.run.backend},
               {"backend_version", r.run.backend_version},
               {"worker", r.run.worker},
               {"device", r.run.device_name},
               {"shard", r.run.shard},
               {"plan_cases", r.run.plan_cases},
               {"plan_hash", hex16(r.run.plan_hash)},
               {"versions", r.run.versions},
               {"options", r.run.options}};
  json["end"] = r.end ? Json(r.end->why) : Json();
  json["not_attempted"] = r.end ? Json(r.end->not_attempted) : Json();
  return json;
}

Json failures_json(const std::vector<CaseRecord>& failures, size_t limit) {
  Json json = Json::array();
  for (size_t i = 0; i < std::min(limit, failures.size()); ++i) {
    const CaseRecord& f = failures[i];
    json.push_back({{"case", f.case_text},
                    {"outcome", name_of(f.outcome)},
                    {"reason", f.reason},
                    {"attempts", f.attempts},
                    {"repro", f.repro},
                    {"log", f.log}});
  }
  return json;
}

Json reruns_json(const std::vector<ReportRerun>& reruns, size_t limit) {
  Json json = Json::array();
  for (size_t i = 0; i < std::min(limit, reruns.size()); ++i)
    json.push_back({reruns[i].record.case_text, rounded(reruns[i].record.first_ms),
                    rounded(reruns[i].record.again_ms), rounded(reruns[i].deviation)});
  return json;
}

Json quantiles_json(std::vector<double> values) {
  if (values.empty()) return Json();
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return rounded(values[size_t(share * double(values.size() - 1) + 0.5)]);
  };
  return {{"n", values.size()}, {"p50", at(0.5)}, {"p95", at(0.95)}, {"max", at(1)}};
}

/// Figures over all rows, also of those that are not shown.
Json summary_json(const ReportData& data) {
  std::map<Outcome, uint64_t> outcomes;
  std::vector<double> noise, efficiency, drift;
  size_t suspicious = 0, drifted = 0;
  for (const OpReport& op : data.ops) {
    for (const auto& [outcome, count] : op.outcomes) outcomes[outcome] += count;
    for (const ReportRow& row : op.rows) {
      suspicious += !row.suspicions.empty();
      if (row.efficiency) efficiency.push_back(*row.efficiency);
      if (row.record.row->quality) noise.push_back(row.record.row->quality->rel_ci95);
    }
  }
  for (const ReportRerun& rerun : data.reruns) {
    drift.push_back(std::abs(rerun.deviation));
    drifted += std::abs(rerun.deviation) > kDriftDeviation;
  }
  Json json = {{"outcomes", outcomes_json(outcomes)}, {"suspicious", suspicious}};
  json["rel_ci95"] = quantiles_json(noise);
  json["efficiency"] = quantiles_json(efficiency);
  json["drift"] = quantiles_json(drift);
  json["drifted"] = drifted;
  return json;
}

Json skips_json(const std::vector<SkipGroup>& skips) {
  Json json = Json::array();
  for (const SkipGroup& skip : skips)
    json.push_back(
        {{"op", skip.op}, {"reason", skip.reason}, {"cases", skip.cases}, {"repro", skip.example_repro}});
  return json;
}

}  // namespace

std::string report_json(const ReportData& data, const ReportLimits& limits) {
  Names kernels;
  Json json = {{"folder", data.folder}};
  json["thresholds"] = {{"noisy", kNoisyRelCi95}, {"spike", kSpikeRatio}, {"drift", kDriftDeviation}};
  json["summary"] = summary_json(data);
  json["system"] = data.system ? Json::parse(system_spec_json(*data.system)) : Json();
  json["runs"] = Json::array();
  for (const ReportRun& run : data.runs) json["runs"].push_back(run_json(run));
  json["row_columns"] = kRowColumns;
  json["ops"] = Json::array();
  for (const OpReport& op : data.ops) json["ops"].push_back(op_json(op, limits.rows_per_op, kernels));
  json["kernels"] = kernels.list();
  json["failure_count"] = data.failures.size();
  json["failures"] = failures_json(data.failures, limits.listed_failures);
  json["skips"] = skips_json(data.skips);
  json["reruns"] = reruns_json(data.reruns, limits.listed_reruns);
  json["breakers"] = Json::array();
  for (const BreakerRecord& b : data.breakers)
    json["breakers"].push_back({{"op", b.op}, {"reason", b.reason}});
  json["damaged"] = Json::array();
  for (const DamagedLine& d : data.damaged)
    json["damaged"].push_back(
        fmt::format("{}:{}: {}", d.path.substr(d.path.find_last_of('/') + 1), d.line, d.reason));
  json["notes"] = data.notes;
  return script_safe(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace perfatlas
