// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/launch_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cluster/kubernetes_job.h"
#include "perfatlas/cluster/slurm_job.h"

namespace perfatlas {
namespace {

/// Options that the tasks get from the launcher instead, all with a value.
constexpr std::array<std::string_view, 11> kLaunchValues = {
    "--launcher", "--tasks", "--partition", "--time", "--gres", "--sbatch-option",
    "--job-name", "--image", "--claim",     "--out",  "--shard"};
constexpr std::string_view kDryRun = "--dry-run";
constexpr uint64_t kMostTasks =
    100'000;  // what Kubernetes takes of one job; Slurm's MaxArraySize is mostly smaller

JobRequest job_request(const LaunchArguments& a, const LaunchedCommand& command) {
  if (a.tasks == 0)
    throw UsageError("--launcher needs --tasks, the number of machines or devices to use at once");
  if (command.shard != "1/1")
    throw UsageError("--shard and --launcher exclude each other: the launcher gives each task its shard");
  return {.folder = std::filesystem::absolute(command.out).lexically_normal().string(),
          .program = std::filesystem::read_symlink("/proc/self/exe").string(),
          .arguments = task_arguments(command.words),
          .target_p90 = command.target_p90,
          .tasks = a.tasks};
}

int launch_slurm(const LaunchArguments& a, const JobRequest& request, const OpRegistry& ops) {
  const SlurmOptions options{a.partition, a.time_limit, a.gres, a.sbatch_options};
  const SubmittedJob job = submit_to_slurm(ops, request, options, a.dry_run);
  if (job.tasks == 0) {
    fmt::print("nothing left to do: every shard in {} is finished\n", request.folder);
    return kDone;
  }
  if (a.dry_run)
    fmt::print("{} tasks; submit with: sbatch {}\n", job.tasks, shell_quoted(job.script));
  else
    fmt::print("job {}: {} tasks; script {}\n", job.job_id, job.tasks, job.script);
  fmt::print("next: perfatlas status {0}; when done: perfatlas place {0}/shard-* --into tables\n",
             shell_quoted(request.folder));
  return kDone;
}

int gpus_of(const std::string& gres) {
  if (gres.empty()) return 0;
  const auto parts = split(gres, ':');
  const auto count = parts.size() > 1 ? parse_integer(parts.back()) : std::optional<int64_t>(1);
  if (parts[0] != "gpu" || !count || *count < 1)
    throw UsageError(fmt::format("--gres '{}' is not gpu:N, which is all that --launcher k8s takes", gres));
  return int(*count);
}

}  // namespace

void add_launch_options(CLI::App& verb, LaunchArguments& a) {
  const char* group = "Many machines (docs/scale-out.md)";
  verb.add_option(
          "--launcher", a.launcher,
          "slurm: submit an array job that collects into shards below --out; k8s: print an Indexed Job")
      ->check(CLI::IsMember({"slurm", "k8s"}))
      ->group(group);
  verb.add_option("--tasks", a.tasks, "Machines or devices to use at once; one shard each")
      ->check(CLI::Range(uint64_t{0}, kMostTasks, "UINT"))
      ->group(group);
  verb.add_option("--partition", a.partition, "Slurm partition")->group(group);
  verb.add_option("--time", a.time_limit,
                  "Slurm time limit of a task, e.g. 2:00:00; it continues when requeued")
      ->group(group);
  verb.add_option("--gres", a.gres, "Devices of a task, e.g. gpu:1")->group(group);
  verb.add_option("--sbatch-option", a.sbatch_options,
                  "Further option for sbatch, e.g. --account=abc; may be repeated")
      ->group(group);
  verb.add_option("--job-name", a.job_name, "Name of the Kubernetes job")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--image", a.image, "Kubernetes: container image with perfatlas")->group(group);
  verb.add_option("--claim", a.claim, "Kubernetes: volume claim that all pods share, mounted at --out")
      ->group(group);
  verb.add_flag("--dry-run", a.dry_run, "Write the job, submit nothing")->group(group);
}

std::vector<std::string> task_arguments(const std::vector<std::string>& words) {
  std::vector<std::string> kept;
  for (size_t i = 2; i < words.size(); ++i) {  // after the program and the verb
    const std::string_view name = split(words[i], '=')[0];
    if (name == kDryRun) continue;
    const bool drop = std::find(kLaunchValues.begin(), kLaunchValues.end(), name) != kLaunchValues.end();
    if (!drop) kept.push_back(words[i]);
    if (drop && words[i].find('=') == std::string::npos) ++i;
  }
  return kept;
}

int launch(const LaunchArguments& a, const LaunchedCommand& command, const OpRegistry& ops) {
  JobRequest request = job_request(a, command);
  if (a.launcher == "slurm") return launch_slurm(a, request, ops);
  request.program = "perfatlas";  // of the image, in its PATH
  if (!a.dry_run)
    throw UsageError("--launcher k8s only prints the manifest: add --dry-run, and kubectl apply it yourself");
  fmt::print("{}\n", kubernetes_manifest(request, {a.job_name, a.image, a.claim, gpus_of(a.gres)}));
  return kDone;
}

}  // namespace perfatlas
