// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/plan_simulation.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/progress_line.h"
#include "perfatlas/cli/share_text.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/replay/replay.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

/// "gemm bfloat16" on h100_sxm -> "h100_sxm-gemm-bfloat16.svg".
std::string svg_name(const ReplayResult& result) {
  std::string name = result.system + "-" + result.family;
  for (char& c : name)
    if (c == ' ' || c == '/') c = '-';
  return name + ".svg";
}

}  // namespace

void add_simulation_options(CLI::App& verb, SimulationArguments& a) {
  const char* group = "Simulation";
  verb.add_option("--simulate", a.tables,
                  "Published tables (a wheel or a systems folder): replay the small plan of --ops against "
                  "them and show "
                  "the error after each share of the points")
      ->group(group);
  verb.add_option("--system", a.system, "System of the tables, e.g. h100_sxm")->group(group);
  verb.add_option("--backend", a.backend, "Back end of the tables")->capture_default_str()->group(group);
  verb.add_option("--table-version", a.version, "Version of the back end; default: its current one")
      ->group(group);
  verb.add_option("--family", a.family, "Only families whose name contains this, e.g. 'gemm fp8'")
      ->group(group);
  verb.add_option("--target-p90", a.target_p90, "Also replay audits and stopping with this target, e.g. 8%")
      ->group(group);
  verb.add_option("--svg", a.svg_folder, "Also draw each family's curves into this folder")->group(group);
}

int simulate(const SimulationArguments& a, const std::vector<std::string>& op_ids, bool json,
             const OpRegistry& ops) {
  if (a.system.empty()) throw UsageError("--simulate needs --system, e.g. h100_sxm");
  if (op_ids.empty()) throw UsageError("--simulate needs --ops, e.g. gemm,attention_context");
  const SystemsRoot root(a.tables, ops);
  const SystemSpec system = replay_system(root.system(a.system));
  const std::string version = root.resolve_version(a.system, a.backend, a.version);
  ProgressLine progress(stderr);
  ReplayOptions options{.progress = [&](const std::string& line) { progress.say(line); }};
  if (!a.target_p90.empty()) options.target_p90 = parse_share("target-p90", a.target_p90);
  std::vector<ReplayResult> results;
  for (const std::string& id : op_ids) {
    const OpType& op = ops.get(id);
    const auto rows = root.table_rows(op, {a.system, a.backend, version, SharedLayer::off});
    for (const ReplayFamily& family : replay_families(SizeSpace(op), *rows))
      if (family.name.find(a.family) != family.name.npos) {
        results.push_back(replay(op, family, system, options));
        if (!json) fmt::print("{}\n", replay_text(results.back()));
      }
  }
  progress.finish();
  if (results.empty())
    throw UsageError(fmt::format("{} {} {} has no rows of {} whose family contains '{}'", a.system, a.backend,
                                 version, fmt::join(op_ids, ", "), a.family));
  if (json) fmt::print("{}\n", replay_json(results));
  if (a.svg_folder.empty()) return kDone;
  make_writable_folder(a.svg_folder);
  for (const ReplayResult& result : results)
    replace_file(a.svg_folder + "/" + svg_name(result), replay_svg(result));
  return kDone;
}

}  // namespace perfatlas
