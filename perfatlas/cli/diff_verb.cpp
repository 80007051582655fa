// SPDX-License-Identifier: Apache-2.0
// perfatlas diff A B: two data folders, compared by key.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/cli/verb.h"
#include "perfatlas/tables/table_diff.h"

namespace perfatlas {
namespace {

struct DiffArguments {
  std::string first, second;
  DiffOptions options;
  bool json = false;
};

nlohmann::json diff_json(const TableDiff& diff) {
  return {{"system", diff.system},
          {"backend", diff.backend},
          {"version", diff.version},
          {"op", diff.op},
          {"added", diff.added},
          {"removed", diff.removed},
          {"changed", diff.changed},
          {"unchanged", diff.unchanged},
          {"median_ratio", diff.median_ratio ? nlohmann::json(*diff.median_ratio) : nlohmann::json()},
          {"problem", diff.problem}};
}

void print_diff(const TableDiff& diff) {
  fmt::print("{}/{}/{} {}: ", diff.system, diff.backend, diff.version, diff.op);
  if (!diff.problem.empty()) {
    fmt::print("not compared\n");
    return;
  }
  fmt::print("{} added, {} removed, {} changed, {} unchanged", diff.added, diff.removed, diff.changed,
             diff.unchanged);
  if (diff.median_ratio) fmt::print(", median ratio {:.4f}", *diff.median_ratio);
  fmt::print("\n");
}

int run_diff(const DiffArguments& a, const OpRegistry& ops) {
  if (!a.options.op.empty()) (void)ops.get(a.options.op);
  const DataFolder first = open_data_folder(a.first), second = open_data_folder(a.second);
  const std::vector<TableDiff> diffs = compare_folders(first, second, ops, a.options);
  size_t same = 0, problems = 0;
  auto list = nlohmann::json::array();
  for (const TableDiff& diff : diffs) {
    same += diff.same();
    problems += !diff.problem.empty();
    if (!diff.problem.empty()) fmt::print(stderr, "perfatlas: {}\n", diff.problem);
    if (a.json)
      list.push_back(diff_json(diff));
    else if (!diff.same())
      print_diff(diff);
  }
  if (a.json)
    fmt::print("{}\n", list.dump(2));
  else
    fmt::print("{} of {} tables are equal\n", same, diffs.size());
  return problems == 0 ? kDone : kFailed;
}

}  // namespace

void add_diff(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("diff", "Compare two data folders row by row");
  const auto a = std::make_shared<DiffArguments>();
  verb->add_option("first", a->first, "A wheel, a systems folder or a data folder")->required();
  verb->add_option("second", a->second, "What to compare it with")->required();
  verb->add_option("--system", a->options.system, "Only this system");
  verb->add_option("--op", a->options.op, "Only this op");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas diff tables tables_of_last_week\n"
      "  perfatlas diff aiconfigurator_core-0.12.0-*.whl ~/.local/share/perfatlas/published --system "
      "h200_sxm\n"
      "Rows are matched by their key and kernel. The median ratio is that of the changed rows, second over "
      "first.\n"
      "Exit code 1 when a table could not be read.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_diff(*a, invocation.ops); }; });
}

}  // namespace perfatlas
