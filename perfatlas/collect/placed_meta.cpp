// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/hash.h"
#include "perfatlas/collect/placed_meta_impl.h"

namespace perfatlas {
namespace {

LiveRuntime live_runtime(const RunRecord& run) {
  LiveRuntime live{.run_id = run.run_id,
                   .date = run.date,
                   .tool = run.tool_version,
                   .device = run.device_name,
                   .device_id = run.device_id,
                   .plan_hash = hex16(run.plan_hash),
                   .versions = run.versions,
                   .settings = run.options};
  if (!run.host.empty()) live.settings["host"] = run.host;
  if (!run.shard.empty()) live.settings["shard"] = run.shard;
  return live;
}

}  // namespace

bool has_all_sub_kernels(const OpType& op, const RowStore& measured) {
  if (op.info.sub_kernels.empty()) return true;
  const auto column = op.find_field(op.info.sub_kernel_column);
  std::set<std::string> seen;
  Row row;
  for (size_t i = 0; i < measured.size(); ++i) {
    measured.get(i, row);
    seen.insert(column ? op.fields[*column].format(row.c.values[*column]) : row.kernel_source);
  }
  return std::all_of(op.info.sub_kernels.begin(), op.info.sub_kernels.end(),
                     [&](std::string_view name) { return seen.count(std::string(name)) > 0; });
}

PlacedMeta::PlacedMeta(std::optional<CollectionMeta> old, const TableFolder& folder, const PlaceInput& input)
    : meta_(std::move(old).value_or(CollectionMeta{})), folder_(folder), input_(input) {
  meta_.provenance = "collected";
  meta_.format_revision = kDataFormatRevision;
  meta_.runtime["framework"] = folder.backend;
  meta_.runtime["version"] = folder.version;
  add_runs();
}

void PlacedMeta::add_runs() {
  std::map<std::string, LiveRuntime> runs;
  for (LiveRuntime& live : meta_.collections) runs[live.run_id] = std::move(live);
  for (const RunRecord& run : input_.runs)
    if (run.backend == folder_.backend && run.backend_version == folder_.version)
      runs[run.run_id] = live_runtime(run);
  for (const OutcomeCount& count : input_.outcomes) {
    const auto run = runs.find(count.run_id);
    if (run != runs.end() && count.backend == folder_.backend && count.version == folder_.version)
      run->second.outcomes[std::string(count.op->info.table)][std::string(name_of(count.outcome))] +=
          count.cases;
  }
  meta_.collections.clear();
  for (auto& [id, live] : runs) meta_.collections.push_back(std::move(live));
}

void PlacedMeta::sum_outcomes(const std::string& table, TableProvenance& provenance) const {
  std::set<std::string> plans;
  for (const LiveRuntime& live : meta_.collections) {
    const auto counts = live.outcomes.find(table);
    if (counts == live.outcomes.end()) continue;
    plans.insert(live.plan_hash);
    provenance.collector_ref = live.tool;  // runs are in order of age: the newest stays
    for (const auto& [outcome, count] : counts->second) provenance.outcomes[outcome] += count;
  }
  provenance.case_plan_hash = fmt::format("{}", fmt::join(plans, "+"));
}

void PlacedMeta::add_table(const OpType& op, const PlacedTable& placed, bool has_sub_kernels) {
  TableProvenance provenance{.rows = int64_t(placed.rows), .op_revision = op.info.revision};
  sum_outcomes(placed.table, provenance);
  for (const LiveRuntime& live : meta_.collections)
    if (live.outcomes.count(placed.table) > 0)
      provenance.collected_at = std::max(provenance.collected_at, live.date.substr(0, 10));
  provenance.status = input_.complete() && has_sub_kernels ? "complete" : "partial";
  meta_.tables[placed.table] = std::move(provenance);
}

}  // namespace perfatlas
