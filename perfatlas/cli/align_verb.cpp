// SPDX-License-Identifier: Apache-2.0
// perfatlas align TRACE: what a profile shows beside what the tables say.
#include <fmt/format.h>

#include "perfatlas/align/alignment.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/db/database.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

struct AlignArguments {
  std::string trace, data;
  QueryOptions options;
  bool json = false;
};

int run_align(const OpRegistry& ops, const AlignArguments& a) {
  Database database(data_root(a.data));
  const Trace trace = assign_kernels(read_trace(a.trace));
  const Alignment alignment =
      align_trace(trace, ops, [&](const Case& asked) { return database.query(asked, a.options); });
  fmt::print("{}", a.json ? alignment_json(alignment) + "\n" : alignment_text(alignment));
  return alignment.answered_trace_us > 0 ? kDone : kFailed;
}

}  // namespace

void add_align(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("align", "A GPU profile beside the tables, op by op");
  const auto a = std::make_shared<AlignArguments>();
  verb->add_option("trace", a->trace, "SQLite export of nsys, or a Kineto or Chrome trace (JSON)")
      ->required();
  verb->add_option("--data", a->data, "Data folder; default: PERFATLAS_DATA, else the user's data folder");
  verb->add_option("--system", a->options.system,
                   "System; may be left out when the data folder has only one");
  verb->add_option("--backend", a->options.backend, "Back end; may be left out when only one has the op");
  verb->add_option("--backend-version", a->options.version,
                   "Version of its kernel library; default: the latest");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Kernels are counted to an op when they were launched inside a range that is named like a case, as\n"
      "`perfatlas step` names its ranges:\n"
      "  nsys profile --trace cuda,nvtx -o step perfatlas step --backend cuda --model Qwen3-0.6B\n"
      "  nsys export --type sqlite -o step.sqlite step.nsys-rep\n"
      "  perfatlas align step.sqlite --data tables --system h200_sxm\n"
      "Exit code 1 when no op of the trace was answered.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_align(invocation.ops, *a); }; });
}

}  // namespace perfatlas
