// SPDX-License-Identifier: Apache-2.0
// perfatlas plan: which cases a collection would measure, without measuring.
#include <fmt/format.h>

#include "perfatlas/base/text.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/plan_simulation.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/collect/plan_cost.h"
#include "perfatlas/collect/plan_counts.h"

namespace perfatlas {
namespace {

struct PlanArguments {
  PlanOptions plan;
  SimulationArguments simulation;
  std::string system_file;
  bool list = false;
  bool json = false;
};

void print_estimate(const Plan& plan, const std::string& system_file) {
  if (system_file.empty()) {
    fmt::print(
        "Estimated time: unknown without a system description (perfatlas probe --out system.json, then "
        "--system-file)\n");
    return;
  }
  const double seconds =
      estimated_seconds(plan, read_system_spec(system_file), CacheState::serving, CostModel{});
  fmt::print("Estimated time on one device: {}\n", format_duration(seconds));
}

int show_plan(const PlanArguments& arguments, const OpRegistry& ops) {
  if (!arguments.simulation.tables.empty())
    return simulate(arguments.simulation, arguments.plan.ops, arguments.json, ops);
  const Plan plan = plan_from(arguments.plan, ops);
  if (arguments.json) {
    fmt::print("{}\n", plan_json(plan_summary(plan)));
    return kDone;
  }
  if (arguments.list) {
    for (size_t i = 0; i < plan.size(); ++i)
      fmt::print("{}{} {}\n", plan.level(i), plan.place(i) && plan.place(i)->audit ? " audit" : "",
                 case_text(plan.at(i)));
    return kDone;
  }
  for (const PlanCount& count : plan_summary(plan))
    fmt::print("{:24} {:12} {:>9} cases\n", count.op, count.dtype, count.cases);
  fmt::print("{:24} {:12} {:>9} cases, shard {}\n", "total", "", plan.size(), arguments.plan.shard);
  // Models share shapes; only a published list that repeats itself needs a word.
  if (plan.repeated() > 0 && arguments.plan.grid.starts_with("aic"))
    fmt::print("The grid names {} cases once more; they are measured once.\n", plan.repeated());
  print_estimate(plan, arguments.system_file);
  return kDone;
}

}  // namespace

void add_plan(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("plan", "Show which cases a collection would measure");
  const auto arguments = std::make_shared<PlanArguments>();
  arguments->plan.imported_too = true;
  add_plan_options(*verb, arguments->plan);
  add_simulation_options(*verb, arguments->simulation);
  verb->add_option("--system-file", arguments->system_file,
                   "System description of probe, for the time estimate");
  verb->add_flag("--list", arguments->list,
                 "Print level and case, in measuring order; audits of a small plan are named");
  verb->add_flag("--json", arguments->json, "[{\"op\", \"dtype\", \"cases\"}]; with --simulate the curves");
  verb->footer(
      "Examples:\n"
      "  perfatlas plan --model Qwen3-0.6B --tp 1,2,4\n"
      "  perfatlas plan --grid aic --ops gemm --sm 90 --json\n"
      "  perfatlas plan --grid aic --plan small --model Llama-3.1-8B --share moe=100%\n"
      "  perfatlas plan --simulate aiconfigurator_core.whl --system h100_sxm --ops gemm --family fp8 --svg "
      "plots\n"
      "  perfatlas plan --model ./my_model --case-filter m=16 --list");
  verb->callback([&invocation, arguments] {
    invocation.action = [&invocation, arguments] { return show_plan(*arguments, invocation.ops); };
  });
}

}  // namespace perfatlas
