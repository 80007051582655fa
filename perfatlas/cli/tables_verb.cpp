// SPDX-License-Identifier: Apache-2.0
// perfatlas tables: what a published performance database holds.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/tables/data_check.h"
#include "perfatlas/tables/import.h"
#include "perfatlas/tables/systems_root.h"
#include "perfatlas/tables/table_summary.h"

namespace perfatlas {
namespace {

using nlohmann::json;

struct TablesArguments {
  std::string systems_path, system, backend, version, op;
  bool own_rows_only = false;
  bool as_json = false;
};

std::string joined(const std::vector<std::string>& words) { return join_words({words.begin(), words.end()}); }

// ---- systems --------------------------------------------------------------------------------------------------------

int show_systems(const SystemsRoot& root, bool as_json) {
  json list = json::array();
  for (const std::string& system : root.systems()) {
    const std::vector<std::string> backends = root.backends(system);
    list.push_back({{"system", system}, {"backends", backends}});
    if (!as_json) fmt::print("{:20} {}\n", system, backends.empty() ? "no tables" : joined(backends));
  }
  if (as_json)
    fmt::print("{}\n", list.dump(2));
  else
    fmt::print("\nOne system with its versions and tables: perfatlas tables --system SYSTEM\n");
  return kDone;
}

// ---- versions -------------------------------------------------------------------------------------------------------

/// "current" and so on, "marker" for a version that only borrows, else nothing.
std::string mark_of(const SystemsRoot& root, const TablesArguments& a, const std::string& backend,
                    const std::string& version) {
  const VersionSlots slots = root.slots(a.system, backend);
  for (const auto& [word, slot] :
       {std::pair{"current", slots.current}, {"previous", slots.previous}, {"next", slots.next}})
    if (slot == version) return word;
  return root.is_marker_version(a.system, backend, version) ? "marker" : "";
}

json versions_json(const SystemsRoot& root, const TablesArguments& a, const std::string& backend) {
  json list = json::array();
  for (const std::string& version : root.versions(a.system, backend))
    list.push_back({{"version", version}, {"slot", mark_of(root, a, backend, version)}});
  return list;
}

std::string versions_text(const SystemsRoot& root, const TablesArguments& a, const std::string& backend) {
  std::string text;
  for (const std::string& version : root.versions(a.system, backend)) {
    const std::string mark = mark_of(root, a, backend, version);
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", version, mark.empty() ? "" : " (" + mark + ")");
  }
  return text;
}

// ---- tables ---------------------------------------------------------------------------------------------------------

std::string_view name_of_channel(SourceChannel channel) {
  constexpr std::string_view kNames[] = {"primary", "donor", "earlier", "sibling"};
  return kNames[size_t(channel)];
}

json summary_json(const TableSummary& s) {
  json out{{"op", s.op}, {"rows", s.rows}, {"slices", s.slices}, {"kernels", s.kernels}};
  out["holes"] = s.holes ? json(*s.holes) : json();
  for (const AxisSummary& axis : s.axes)
    out["axes"].push_back(
        {{"axis", axis.name}, {"lowest", axis.lowest}, {"highest", axis.highest}, {"values", axis.values}});
  for (const FieldSummary& field : s.fields)
    out["fields"].push_back({{"column", field.column}, {"values", field.values}, {"count", field.count}});
  for (const RowSource& source : s.sources)
    out["sources"].push_back({{"file", source.source.path},
                              {"backend", source.source.backend},
                              {"version", source.source.version},
                              {"channel", name_of_channel(source.source.channel)},
                              {"rows", source.rows},
                              {"used", source.used}});
  return out;
}

void print_summary(const TableSummary& s) {
  fmt::print("  {:34} {:>8} rows in {} slice{}", s.op, s.rows, s.slices, s.slices == 1 ? "" : "s");
  if (s.holes && s.rows > 0)
    fmt::print(", {:.1f} % holes", 100.0 * double(*s.holes) / double(*s.holes + s.rows));
  fmt::print("\n");
  for (const AxisSummary& axis : s.axes)
    fmt::print("    {:24} {}..{} ({} values)\n", axis.name, axis.lowest, axis.highest, axis.values);
  for (const FieldSummary& field : s.fields)
    fmt::print("    {:24} {}{}\n", field.column, fmt::join(field.values, " "),
               field.count > field.values.size() ? fmt::format(" ... ({} values)", field.count) : "");
  for (const RowSource& source : s.sources)
    fmt::print("    from {:19} {} of {} rows, {} {} ({})\n", name_of_channel(source.source.channel),
               source.used, source.rows, source.source.backend, source.source.version, source.source.path);
}

struct BackendTables {
  std::vector<TableSummary> tables;
  std::vector<std::string> problems;  // why files cannot be read
};

BackendTables summaries(const SystemsRoot& root, const TablesArguments& a, const std::string& backend,
                        const std::string& version) {
  BackendTables found;
  const TableRequest request{a.system, backend, version,
                             a.own_rows_only ? SharedLayer::off : SharedLayer::on};
  for (const auto& op : root.ops().ops()) {
    if (!a.op.empty() && op->info.id != a.op) continue;
    try {
      const auto rows = root.table_rows(*op, request);
      if (!rows->empty()) found.tables.push_back(summarise(*rows));
    } catch (const UsageError&) {
      throw;
    } catch (const Error& error) {
      const std::string reason = error.what();  // ops of one table, or of one broken sidecar, have the same
      if (std::find(found.problems.begin(), found.problems.end(), reason) == found.problems.end())
        found.problems.push_back(reason);
    }
  }
  return found;
}

int run_tables(const TablesArguments& a, const OpRegistry& ops) {
  if (!a.op.empty()) (void)ops.get(a.op);
  const SystemsRoot root(systems_sources(a.systems_path), ops);
  if (a.system.empty()) return show_systems(root, a.as_json);
  if (a.backend.empty() && root.backends(a.system).empty())
    throw UsageError(fmt::format("{}: {} has a description and no tables", root.source(), a.system));
  json out = json::array();
  bool complete = true;
  for (const std::string& backend : a.backend.empty() ? root.backends(a.system) : std::vector{a.backend}) {
    const std::string version = root.resolve_version(a.system, backend, a.version);
    const BackendTables found = summaries(root, a, backend, version);
    complete &= found.problems.empty();
    for (const std::string& problem : found.problems) fmt::print(stderr, "perfatlas: {}\n", problem);
    const TableRequest request{a.system, backend, version};
    const std::string& from = root.source_of(request).path();
    if (a.as_json) {
      json tables = json::array();
      for (const TableSummary& summary : found.tables) tables.push_back(summary_json(summary));
      out.push_back({{"backend", backend},
                     {"versions", versions_json(root, a, backend)},
                     {"version", version},
                     {"source", from},
                     {"tables", tables}});
      continue;
    }
    fmt::print("{} {}: {}\n{} as asked for by default or with --backend-version:\n", a.system, backend,
               versions_text(root, a, backend), version);
    if (root.sources().size() > 1) fmt::print("  read from {}\n", from);
    for (const TableSummary& summary : found.tables) print_summary(summary);
    for (const TableProblem& absent : listed_but_absent(root.source_of(request), request))
      fmt::print("  not there: {}\n", absent.reason);
  }
  if (a.as_json) fmt::print("{}\n", out.dump(2));
  return complete ? kDone : kFailed;
}

}  // namespace

void add_tables(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("tables", "What a published database holds: versions, rows, ranges, holes");
  const auto a = std::make_shared<TablesArguments>();
  add_systems_path_option(*verb, a->systems_path,
                          "A wheel or a systems folder, used in place; default: what was imported");
  verb->add_option("--system", a->system, "System; default: list the systems");
  verb->add_option("--backend", a->backend, "Back end; default: all");
  verb->add_option("--backend-version", a->version, "Version, or current, previous, next; default: current");
  verb->add_option("--op", a->op, "Only this op");
  verb->add_flag("--own-rows-only", a->own_rows_only, "Let no other version or back end fill holes");
  verb->add_flag("--json", a->as_json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas tables\n"
      "  perfatlas tables --system h200_sxm --backend vllm\n"
      "  perfatlas tables --systems-path aiconfigurator_core-0.12.0-*.whl --system gb200 --op gemm --json\n"
      "Holes are points that a full grid of each slice's own values would have and the slice has not.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_tables(*a, invocation.ops); }; });
}

}  // namespace perfatlas
