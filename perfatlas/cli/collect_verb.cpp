// SPDX-License-Identifier: Apache-2.0
// perfatlas collect: plan and measure; resumable at any moment.
#include <fmt/format.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/progress_line.h"
#include "perfatlas/cli/summary_text.h"
#include "perfatlas/cli/system_file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cli/version.h"
#include "perfatlas/cli/worker_session.h"

namespace perfatlas {
namespace {

struct CollectArguments {
  PlanOptions plan;
  MeasureArguments measure;
  std::string out;
  std::vector<std::string> devices;
  std::string worker;
  std::string budget;
  std::string case_deadline;
  std::string system_file;
  bool no_probe = false;
  bool resume = true;
  bool retry_failed = false;
  bool no_drift = false;
  bool json = false;
  std::string command_line;
};

double duration(const std::string& flag, const std::string& text) {
  const auto seconds = parse_duration_s(text);
  if (!seconds || *seconds <= 0)
    throw UsageError(fmt::format("--{} '{}' is no duration like 90s, 10m or 1.5h", flag, text));
  return *seconds;
}

CollectOptions options_from(const CollectArguments& a) {
  CollectOptions o;
  o.folder = a.out;
  o.backend = a.measure.backend;
  o.devices = a.devices.empty() ? default_devices(o.backend) : a.devices;
  for (const std::string_view word : split(a.worker, ' '))
    if (!word.empty()) o.worker_command.emplace_back(word);
  o.measure = measure_from(a.measure);
  if (!a.budget.empty()) o.budget_s = duration("budget", a.budget);
  if (!a.case_deadline.empty()) o.case_deadline_s = duration("case-deadline", a.case_deadline);
  o.resume = a.resume;
  o.retry_failed = a.retry_failed;
  if (a.no_drift) o.drift.max_cases = 0;
  o.command_line = a.command_line;
  o.tool_version = kVersion;
  return o;
}

/// The ops that the back end has kernels of. Asked only when the user names none: a worker has to be started for it.
std::optional<std::set<std::string>> measured_here(const CollectArguments& a, const CollectOptions& options) {
  if (!a.plan.ops.empty()) return std::nullopt;
  const WorkerSession worker(options.backend, options.devices.front(), options.worker_command);
  std::set<std::string> ids;
  for (const WorkerKernel& kernel : worker.hello().kernels)
    if (kernel.backend == options.backend) ids.insert(kernel.op);
  return ids;
}

int run_collect(const CollectArguments& a, const OpRegistry& ops) {
  CollectOptions options = options_from(a);
  const Plan plan = plan_from(a.plan, ops, measured_here(a, options));
  if (plan.size() == 0)
    throw UsageError("the plan is empty: no case matches these options; see perfatlas plan");
  ProgressLine progress(stderr);
  const SystemFileRequest request{a.out,           a.system_file,           a.no_probe,
                                  options.backend, options.devices.front(), options.worker_command};
  options.system = system_for_collection(request, [&](const std::string& line) { progress.say(line); });
  const CollectSummary summary = collect(plan, ops, options, progress);
  progress.finish();
  if (a.json)
    fmt::print("{}\n", collect_summary_json(summary));
  else
    fmt::print("{}", collect_summary_text(summary, a.out));
  return summary.exit_code();
}

}  // namespace

void add_collect(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("collect", "Measure the cases of a plan; run again to continue");
  const auto a = std::make_shared<CollectArguments>();
  verb->add_option("--out", a->out, "Collection folder: journal, staging tables, logs")->required();
  verb->add_option("--budget", a->budget,
                   "No case begins after this time, e.g. 60s, 10m; default: until done");
  verb->add_option("--devices", a->devices, "Core sets (0-1) or GPUs (0); one worker process each")
      ->delimiter(';');
  verb->add_option("--worker", a->worker, "Command of a plug-in worker; {device} is replaced");
  verb->add_flag("--resume,!--no-resume", a->resume, "Skip cases that are done already (default)");
  verb->add_flag("--retry-failed", a->retry_failed, "Try failed, crashed and timed-out cases again");
  verb->add_option("--case-deadline", a->case_deadline, "Kill a worker that needs longer for one case");
  verb->add_option("--system-file", a->system_file, "System description to use instead of probing");
  verb->add_flag("--no-probe", a->no_probe,
                 "Do not measure the machine's peaks first (rows get no efficiency)");
  verb->add_flag("--no-drift", a->no_drift, "Do not re-measure a sample of the cases at the end");
  verb->add_flag("--json", a->json, "Print the summary for machines");
  add_plan_options(*verb, a->plan);
  add_measure_options(*verb, a->measure);
  verb->footer(
      "Examples:\n"
      "  perfatlas collect --model Qwen3-0.6B --out run --budget 60s\n"
      "  perfatlas collect --grid aic --ops gemm --out run --shard 1/8 --devices 0-7\n"
      "  perfatlas collect --model Qwen3-0.6B --out run          (again: continues)");
  verb->callback([&invocation, a] {
    a->command_line = invocation.command_line;
    invocation.action = [&invocation, a] { return run_collect(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
