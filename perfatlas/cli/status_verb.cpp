// SPDX-License-Identifier: Apache-2.0
// perfatlas status: how a collection stands, by one machine or by many, from its journals alone.
#include "perfatlas/cli/status_verb.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/share_text.h"
#include "perfatlas/cluster/shard_status.h"

namespace perfatlas {
namespace {

struct StatusArguments {
  StatusRequest request;
  std::string target_p90;
  std::string stop_file;
  bool json = false;
};

int show_status(StatusArguments a, const OpRegistry& ops) {
  if (!a.target_p90.empty()) a.request.target_p90 = parse_share("target-p90", a.target_p90);
  if (!a.stop_file.empty() && !a.request.target_p90)
    throw UsageError("--stop-file needs --target-p90: without a target no family is ever finished early");
  const ShardStatus status = shard_status(ops, a.request);
  if (a.json)
    fmt::print("{}\n", status.json());
  else
    fmt::print("{}", status.text());
  if (!a.stop_file.empty()) {
    const size_t families = write_stop_file(status, a.stop_file);
    if (!a.json) fmt::print("{} families need no more points: {}\n", families, a.stop_file);
  }
  return kDone;
}

}  // namespace

void add_status(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("status", "How a collection stands, over all machines");
  const auto a = std::make_shared<StatusArguments>();
  verb->add_option("folders", a->request.folders, "Collection folders, or folders that hold those of shards")
      ->required();
  verb->add_option("--target-p90", a->target_p90, "Small plans: judge families against this error, e.g. 8%");
  verb->add_option(
      "--stop-file", a->stop_file,
      "Write the families that need no more points; running shards that were started with the same file "
      "leave them alone");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas status run\n"
      "  perfatlas status /shared/run --target-p90 8% --stop-file /shared/run/stopped");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return show_status(*a, invocation.ops); }; });
}

}  // namespace perfatlas
