// SPDX-License-Identifier: Apache-2.0
// perfatlas diff A B: two data folders, compared by key.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/cli/verb.h"
#include "perfatlas/tables/table_comparison.h"
#include "perfatlas/tables/table_diff.h"

namespace perfatlas {
namespace {

struct DiffArguments {
  std::string first, second;
  DiffOptions options;
  std::string against;
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

nlohmann::json comparison_json(const TableComparison& c) {
  return {{"op", c.op},           {"first", c.first},
          {"second", c.second},   {"keys", c.keys},
          {"p10", c.p10},         {"p50", c.p50},
          {"p90", c.p90},         {"lowest", c.lowest},
          {"highest", c.highest}, {"lowest_case", c.lowest_case},
          {"problem", c.problem}, {"highest_case", c.highest_case}};
}

void print_comparison(const TableComparison& c) {
  fmt::print("{}: {} over {}: ", c.op, c.first, c.second);
  if (c.keys == 0) {
    fmt::print("no key in common\n");
    return;
  }
  fmt::print("{} keys, ratio p10 {:.3f}, p50 {:.3f}, p90 {:.3f}\n", c.keys, c.p10, c.p50, c.p90);
  fmt::print("  lowest {:.3f}: {}\n  highest {:.3f}: {}\n", c.lowest, c.lowest_case, c.highest,
             c.highest_case);
}

int run_comparison(const DiffArguments& a, const DataFolder& first, const DataFolder& second,
                   const OpRegistry& ops) {
  size_t problems = 0;
  auto list = nlohmann::json::array();
  for (const TableComparison& c :
       compare_with_system(first, second, ops, {.system = a.against, .op = a.options.op})) {
    problems += !c.problem.empty();
    if (!c.problem.empty()) fmt::print(stderr, "perfatlas: {}\n", c.problem);
    if (a.json)
      list.push_back(comparison_json(c));
    else if (c.problem.empty())
      print_comparison(c);
  }
  if (a.json) fmt::print("{}\n", list.dump(2));
  return problems == 0 ? kDone : kFailed;
}

int run_diff(const DiffArguments& a, const OpRegistry& ops) {
  if (!a.options.op.empty()) (void)ops.get(a.options.op);
  const DataFolder first = open_data_folder(a.first), second = open_data_folder(a.second);
  if (!a.against.empty()) return run_comparison(a, first, second, ops);
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
  CLI::Option* const system = verb->add_option("--system", a->options.system, "Only this system");
  verb->add_option(
          "--against", a->against,
          "Compare the fastest rows of all tables of the first folder, whatever their system and back "
          "end, with those of this system in the second")
      ->excludes(system);
  verb->add_option("--op", a->options.op, "Only this op");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas diff tables tables_of_last_week\n"
      "  perfatlas diff aiconfigurator_core-0.12.0-*.whl ~/.local/share/perfatlas/published --system "
      "h200_sxm\n"
      "  perfatlas diff my_tables aiconfigurator_core-0.12.0-*.whl --against h200_sxm --op gemm\n"
      "Rows are matched by their key and kernel, with --against by their key. The median ratio is that of "
      "the changed rows, second over "
      "first.\n"
      "Exit code 1 when a table could not be read.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_diff(*a, invocation.ops); }; });
}

}  // namespace perfatlas
