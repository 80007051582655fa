// SPDX-License-Identifier: Apache-2.0
// perfatlas loo: how far both engines are from rows that they have not seen.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/accuracy/loo_summary.h"
#include "perfatlas/accuracy/slice_out.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct LooArguments {
  std::string system, backend, version, systems_path, data;
  std::vector<std::string> ops;
  LeaveOutOptions options;
  bool json = false;
};

/// The leave-outs of one op, table by table.
class OpLoo {
 public:
  OpLoo(const OpType& op, LeaveOutOptions options) : op_(&op), options_(options) {}

  void add(const std::string& table, const std::vector<OpSlice>& slices) {
    size_t rows = 0;
    for (const OpSlice& slice : slices) rows += slice.points.size();
    if (rows == 0) return;
    tables_.push_back(fmt::format("{}: {} rows, {} slices", table, rows, slices.size()));
    const std::vector<LeftOut> found = leave_out(*op_, slices, options_);
    found_.insert(found_.end(), found.begin(), found.end());
    const std::vector<LeftOut> missing = slice_out(*op_, slices, options_);
    found_.insert(found_.end(), missing.begin(), missing.end());
  }

  /// A table that cannot be read is named among those that were looked at.
  void left_out(const std::string& why) { tables_.push_back("left out: " + why); }

  bool empty() const { return tables_.empty(); }
  LooReport report() const { return {std::string(op_->info.id), tables_, summarise(found_)}; }

 private:
  const OpType* op_;
  LeaveOutOptions options_;
  std::vector<std::string> tables_;
  std::vector<LeftOut> found_;
};

std::vector<const OpType*> chosen_ops(const OpRegistry& registry, const std::vector<std::string>& names) {
  std::vector<const OpType*> chosen;
  for (const auto& op : registry.ops())
    if (names.empty()) chosen.push_back(op.get());
  for (const std::string& name : names) chosen.push_back(&registry.get(name));
  return chosen;
}

void add_published(OpLoo& loo, const OpType& op, const SystemsRoot& root, const LooArguments& a) {
  std::vector<std::string> seen;  // tables of collectives are the same for every back end
  for (const std::string& backend : root.backends(a.system)) {
    if (!a.backend.empty() && backend != a.backend) continue;
    const std::string version = root.resolve_version(a.system, backend, a.backend.empty() ? "" : a.version);
    std::shared_ptr<const TableRows> rows;
    try {
      rows = root.table_rows(op, {a.system, backend, version, SharedLayer::off});
    } catch (const Error& error) {  // the other tables go on working
      loo.left_out(error.what());
      continue;
    }
    if (rows->empty()) continue;
    const std::string path = rows->sources()[0].source.path;
    if (std::find(seen.begin(), seen.end(), path) != seen.end()) continue;
    seen.push_back(path);
    const TableSource& source = rows->sources()[0].source;
    loo.add(fmt::format("{}/{}", source.backend, source.version), slices_of(*rows, root.system(a.system)));
  }
}

void add_placed(OpLoo& loo, const OpType& op, const std::string& root, const LooArguments& a) {
  std::shared_ptr<const SystemSpec> machine;
  if (const std::string path = system_description_path(root, a.system); std::filesystem::exists(path))
    machine = std::make_shared<const SystemSpec>(read_system_spec(path));
  for (const TableFolder& folder : list_table_folders(root)) {
    if (folder.system != a.system || (!a.backend.empty() && folder.backend != a.backend) ||
        (!a.version.empty() && folder.version != a.version))
      continue;
    for (const TableFile& file : list_tables(folder))
      if (file.table == op.info.table)
        loo.add(fmt::format("{}/{}", folder.backend, folder.version),
                slices_of(op, read_table(op, file), machine));
  }
}

int run_loo(const OpRegistry& registry, const LooArguments& a) {
  if (!a.version.empty() && a.backend.empty())
    throw UsageError("--version needs --backend: versions belong to back ends");
  std::unique_ptr<const SystemsRoot> published;
  if (const auto sources = sources_instead_of_placed(a.systems_path, a.data, a.system); !sources.empty())
    published = std::make_unique<const SystemsRoot>(sources, registry);
  const std::string data = published ? std::string() : data_root(a.data);
  if (published) published->system(a.system);  // names the known ones when it is none
  std::vector<LooReport> reports;
  for (const OpType* op : chosen_ops(registry, a.ops)) {
    OpLoo loo(*op, a.options);
    if (published)
      add_published(loo, *op, *published, a);
    else
      add_placed(loo, *op, data, a);
    if (!loo.empty()) reports.push_back(loo.report());
  }
  if (reports.empty())
    throw UsageError(fmt::format("{} holds no table of {} for these ops and back ends",
                                 published ? published->source() : data, a.system));
  fmt::print("{}", a.json ? loo_json(a.system, reports) : loo_text(a.system, reports));
  return kDone;
}

}  // namespace

void add_loo(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("loo", "Leave rows out and predict them: accuracy of both engines and of the bars");
  const auto a = std::make_shared<LooArguments>();
  verb->add_option("--system", a->system, "System whose tables are looked at")->required();
  verb->add_option("--op,--ops", a->ops, "Ops (default: all that have rows)")->delimiter(',');
  verb->add_option("--backend", a->backend, "One back end only");
  verb->add_option("--version", a->version,
                   "One version of it; default: the current one, or all placed ones");
  add_systems_path_option(*verb, a->systems_path, "Published tables: a wheel, or a folder of systems");
  verb->add_option("--data", a->data,
                   "Data folder of placed tables; default: PERFATLAS_DATA, else the user's");
  verb->add_option("--share", a->options.share, "Share of the slices to look at")
      ->check(CLI::Range(0.0, 1.0));
  verb->add_option("--seed", a->options.seed, "Seed of the sample");
  verb->add_flag("--json", a->json, "For machines");
  verb->callback(
      [a, &invocation] { invocation.action = [a, &invocation] { return run_loo(invocation.ops, *a); }; });
  verb->footer(
      "Examples:\n"
      "  perfatlas loo --system h200_sxm --op gemm --systems-path aiconfigurator_core-0.12.0-*.whl\n"
      "  perfatlas loo --system my_machine --data tables --json\n"
      "What is left out: one inner key of an axis (plane), one of every axis (off-grid), a weight shape "
      "(site), single\n"
      "rows, line ends, the largest and smallest key and the upper third of each axis (docs/accuracy.md).");
}

}  // namespace perfatlas
