// SPDX-License-Identifier: Apache-2.0
// perfatlas collect: plan and measure; resumable at any moment.
#include <fmt/format.h>

#include <filesystem>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/busy_machine.h"
#include "perfatlas/cli/clock_option.h"
#include "perfatlas/cli/launch_options.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/prior_option.h"
#include "perfatlas/cli/progress_line.h"
#include "perfatlas/cli/share_text.h"
#include "perfatlas/cli/summary_text.h"
#include "perfatlas/cli/system_file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cli/version.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/collect/knee_rounds.h"
#include "perfatlas/store/layout.h"

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
  std::string target_p90;
  std::string stop_file;
  std::string prior, data;
  std::vector<std::string> done_in;
  std::string system_file;
  unsigned lock_clocks_mhz = 0;  // 0: clocks are left alone
  bool no_probe = false;
  bool resume = true;
  bool retry_failed = false;
  bool no_drift = false;
  bool json = false;
  std::string command_line;
  LaunchArguments launch;
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
  o.worker_command = shell_words(a.worker);
  o.measure = measure_from(a.measure);
  if (!a.budget.empty()) o.budget_s = duration("budget", a.budget);
  if (!a.case_deadline.empty()) o.case_deadline_s = duration("case-deadline", a.case_deadline);
  if (!a.target_p90.empty()) o.small.target_p90 = parse_share("target-p90", a.target_p90);
  o.small.stop_file = a.stop_file;
  o.done_in = a.done_in;
  if (a.plan.kind != name_of(PlanKind::small) &&
      (o.small.target_p90 || !o.small.stop_file.empty() || !a.prior.empty()))
    throw UsageError(
        "--target-p90, --stop-file and --prior belong to --plan small; a full plan measures every case");
  o.resume = a.resume;
  o.retry_failed = a.retry_failed;
  if (a.no_drift) o.drift.max_cases = 0;
  o.command_line = a.command_line;
  o.tool_version = kVersion;
  return o;
}

constexpr const char* kEmptyPlan = "the plan is empty: no case matches these options; see perfatlas plan";

constexpr double kLookSeconds = 0.25;  // at the machine, before anything is measured

/// Tells of programs that will disturb the measurements.
void warn_when_busy(ProgressLine& progress) {
  if (const auto line = busy_before(busy_share(kLookSeconds))) progress.say(*line);
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

bool has_audits(const Plan& plan) {
  for (size_t i = 0; i < plan.size(); ++i)
    if (const auto place = plan.place(i); place && place->audit) return true;
  return false;
}

int run_collect(const CollectArguments& a, const OpRegistry& ops) {
  if (a.lock_clocks_mhz > 0) require_clock_owner(a.measure.backend);
  CollectOptions options = options_from(a);
  if (!a.launch.launcher.empty()) {
    // Tasks would only fail on what is wrong here.
    if (plan_from(a.plan, ops).size() == 0) throw UsageError(kEmptyPlan);
    return launch(a.launch, {own_command_line(), a.out, a.plan.shard, a.target_p90}, ops);
  }
  PlanOptions plan_options = a.plan;
  plan_options.has_prior = !a.prior.empty();
  const PlanRequest plan_wanted = plan_request(plan_options, ops, measured_here(a, options));
  const Plan plan = make_plan(ops, plan_wanted);
  if (plan.size() == 0) throw UsageError(kEmptyPlan);
  std::unique_ptr<ClockLock> locked;
  if (a.lock_clocks_mhz > 0)
    locked = lock_clocks_if_confirmed(a.lock_clocks_mhz, options.backend, options.devices);
  std::optional<LoadedPrior> prior;
  if (!a.prior.empty()) {
    prior = load_prior(data_root(a.data), a.prior, plan.ops());
    options.small.predictor = make_prior_predictor_maker(prior->tables);
  }
  ProgressLine progress(stderr);
  if (options.small.target_p90 && !has_audits(plan))
    progress.say(fmt::format(
        "--target-p90: every family of this plan has fewer than {} cases or a share of 100 % and is measured "
        "whole; nothing is predicted, so that there is no error to reach",
        kWholeFamily));
  warn_when_busy(progress);
  const SystemFileRequest request{a.out,           a.system_file,           a.no_probe,
                                  options.backend, options.devices.front(), options.worker_command};
  options.system = system_for_collection(request, [&](const std::string& line) { progress.say(line); });
  const OtherPrograms others;
  const CollectSummary summary = plan.kind() == PlanKind::small
                                     ? collect_with_knees(ops, plan_wanted, plan, options, progress)
                                     : collect(plan, ops, options, progress);
  const double others_share = others.share();
  progress.finish();
  if (a.json)
    fmt::print("{}\n", collect_summary_json(summary, others_share));
  else
    fmt::print("{}{}", prior ? prior_changes_text(*prior, a.out, ops) : "",
               collect_summary_text(summary, a.out, others_share));
  return summary.exit_code();
}

}  // namespace

void add_collect(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("collect", "Measure the cases of a plan; run again to continue");
  const auto a = std::make_shared<CollectArguments>();
  verb->add_option("--out", a->out, "Collection folder: journal, staging tables, logs")->required();
  verb->add_option("--budget", a->budget,
                   "No case begins after this time, e.g. 60s, 10m; default: until done");
  verb->add_option(
      "--target-p90", a->target_p90,
      "With --plan small: stop a family when nine of ten audits are predicted within this, e.g. 8%");
  verb->add_option(
      "--stop-file", a->stop_file,
      "With --plan small: measure families named in this file, one a line, no further (status --stop)");
  verb->add_option(
      "--done-in", a->done_in,
      "Other collection folders whose decided cases are done: of the shard that a piece takes over");
  verb->add_option(
      "--prior", a->prior,
      "With --plan small: SYSTEM/BACKEND/VERSION of placed tables that predict these, from another "
      "machine or an older version");
  verb->add_option("--data", a->data, "Folder of the --prior's tables; default: as of perfatlas query");
  verb->add_option("--devices", a->devices, "Core sets (0-1) or GPUs (0); one worker process each")
      ->delimiter(';');
  verb->add_option("--worker", a->worker,
                   "Command of a plug-in worker, in words as of a shell; {device} is replaced");
  verb->add_flag("--resume,!--no-resume", a->resume, "Skip cases that are done already (default)");
  verb->add_flag("--retry-failed", a->retry_failed, "Try failed, crashed and timed-out cases again");
  verb->add_option("--case-deadline", a->case_deadline, "Kill a worker that needs longer for one case");
  verb->add_option("--system-file", a->system_file, "System description to use instead of probing");
  verb->add_flag("--no-probe", a->no_probe,
                 "Do not measure the machine's peaks first (rows get no efficiency)");
  verb->add_flag("--no-drift", a->no_drift, "Do not re-measure a sample of the cases at the end");
  verb->add_option(
          "--lock-clocks", a->lock_clocks_mhz,
          "Only on a GPU of your own: hold its clock at this many MHz while measuring; asks first, and frees "
          "the clock at the end")
      ->check(CLI::Range(1U, 10000U));
  verb->add_flag("--json", a->json, "Print the summary for machines");
  add_plan_options(*verb, a->plan);
  add_measure_options(*verb, a->measure);
  add_launch_options(*verb, a->launch);
  verb->footer(
      "Examples:\n"
      "  perfatlas collect --model Qwen3-0.6B --out run --budget 60s\n"
      "  perfatlas collect --grid aic --ops gemm --out run --shard 1/8 --devices 0-7\n"
      "  perfatlas collect --grid aic --plan small --target-p90 8% --out run --budget 30m\n"
      "  perfatlas collect --grid aic --plan small --out /shared/run --launcher slurm --tasks 16 --gres "
      "gpu:1\n"
      "  perfatlas collect --grid aic --plan small --prior h100_sxm/cuda/12.8 --out run\n"
      "  perfatlas collect --model Qwen3-0.6B --out run          (again: continues)");
  verb->callback([&invocation, a] {
    a->command_line = invocation.command_line;
    invocation.action = [&invocation, a] { return run_collect(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
