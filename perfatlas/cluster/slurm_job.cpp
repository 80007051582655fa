// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/slurm_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/command.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/wall_clock.h"

namespace perfatlas {
namespace {

constexpr const char* kJobIdFile = "slurm-job-id";

/// Between the warning and the time limit: a case and its journal record need less.
constexpr int kWarningSeconds = 60;

constexpr const char* kTaskBody = R"sh(
set -u
folder={folder}
tasks="$folder/{name}.tasks"
if ! [ -r "$tasks" ]; then
  echo "perfatlas: $(hostname) does not see $tasks: is $folder on a file system that all nodes share?" >&2
  exit 1
fi
IFS=$'\t' read -r -a fields < <(sed -n "${{SLURM_ARRAY_TASK_ID}}p" "$tasks")
shard=${{fields[0]}} out=${{fields[1]}}
options=()
for other in "${{fields[@]:2}}"; do options+=(--done-in "$folder/$other"); done

records() {{ cat "$folder/$out"/journal-*.jsonl 2>/dev/null | wc -l; }}
before=$(records)
stopped=0
{program} collect {arguments} --shard "$shard" --out "$folder/$out" "${{options[@]}}" &
collector=$!
# The warning before the time limit, and preemption: let the collector end in order.
trap 'stopped=1; kill -TERM "$collector" 2>/dev/null' TERM
wait "$collector"; code=$?
while kill -0 "$collector" 2>/dev/null; do wait "$collector"; code=$?; done
if [ "$stopped" = 1 ] && [ "$(records)" -gt "$before" ]; then
  echo "perfatlas: out of time with shard $shard; asking to be queued again" >&2
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
)sh";

constexpr const char* kStopBody = R"sh(
# Judges the journals of all tasks while they run; names families that need no more points.
folder={folder}
while squeue -h -j "$1" 2>/dev/null | grep -q .; do
  {program} status "$folder" --target-p90 {target} --stop-file "$folder/stopped" >"$folder/status.txt" 2>&1
  sleep 60
done
)sh";

/// One word of a line "#SBATCH ...", which sbatch splits at blanks outside of double quotes.
std::string sbatch_word(const std::string& word) {
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

/// '%' twice: alone it stands for a number of the job.
std::string without_symbols(const std::string& path) {
  std::string text;
  for (const char c : path) text.append(c == '%' ? 2 : 1, c);
  return text;
}

/// A line of a script ends where sbatch stops reading an option. In the name of a log, it takes a backslash for its own
/// sign.
void refuse_what_slurm_cannot_take(const JobRequest& request, const SlurmOptions& options) {
  if (request.folder.find_first_of("\\\n\r") != std::string::npos)
    throw UsageError(
        fmt::format("--out {}: Slurm cannot write its logs into a folder with a backslash or a line break in "
                    "its path; choose another",
                    shell_quoted(request.folder)));
  std::vector<std::string> given = options.sbatch_options;
  given.insert(given.end(), {options.partition, options.time_limit, options.gres});
  for (const std::string& value : given)
    if (value.find_first_of("\n\r") != std::string::npos)
      throw UsageError(
          fmt::format("{} has a line break, which sbatch does not take; repeat --sbatch-option for several",
                      shell_quoted(value)));
}

std::string headers(const JobRequest& request, const SlurmOptions& options, const std::string& name) {
  std::string text = fmt::format("#SBATCH --job-name=perfatlas\n#SBATCH --output={}\n",
                                 sbatch_word(without_symbols(request.folder) + "/" + name + "-%A_%a.log"));
  if (!options.partition.empty())
    text += fmt::format("#SBATCH --partition={}\n", sbatch_word(options.partition));
  return text;
}

/// After all others, so that they win. "--name=value" is one word; "-A abc" and "--account abc" are two, as users type
/// them.
std::string user_headers(const SlurmOptions& options) {
  std::string text;
  for (const std::string& option : options.sbatch_options) {
    const size_t equals = option.find('=');
    const bool one_word = option.starts_with("--") && equals < option.find_first_of(" \"'");
    text += one_word ? fmt::format("#SBATCH {}{}\n", option.substr(0, equals + 1),
                                   sbatch_word(option.substr(equals + 1)))
                     : fmt::format("#SBATCH {}\n", option);
  }
  return text;
}

std::string task_line(const JobTask& task) {
  return fmt::format("{}\t{}\t{}\n", format_shard(task.shard), task.folder, fmt::join(task.done_in, "\t"));
}

/// Throws when an earlier job of the folder has not left the queue.
void refuse_while_running(const std::string& folder) {
  const std::string path = folder + "/" + kJobIdFile;
  if (!file_exists(path)) return;
  const std::string id(trim(read_file(path)));
  const CommandResult queue = run_command({"squeue", "-h", "-j", id});
  if (queue.code == 0 && !queue.output.empty())
    throw Error(fmt::format("job {} of {} is still queued or running; wait for it, or scancel {} first", id,
                            folder, id));
}

std::vector<JobTask> tasks_of(const OpRegistry& ops, const JobRequest& request) {
  std::error_code error;
  bool begun = false;
  for (std::filesystem::directory_iterator at(request.folder, error), end; !error && at != end;
       at.increment(error))
    begun |= at->is_directory() && !journal_files(at->path().string()).empty();
  return begun ? next_tasks(shard_status(ops, {.folders = {request.folder}}), request.tasks)
               : first_tasks(request.tasks);
}

/// The id that sbatch --parsable prints ("123" or "123;cluster").
std::string sbatch(const std::vector<std::string>& words) {
  const CommandResult result = run_command(words);
  if (result.code != 0)
    throw Error(fmt::format("sbatch refused ({}): {}", result.code,
                            result.output.empty()
                                ? "it said nothing"
                                : fmt::format("{}", fmt::join(split(trim(result.output), '\n'), "; "))));
  const std::string_view last = split(result.output, '\n').back();
  return std::string(split(last, ';')[0]);
}

}  // namespace

SlurmScripts slurm_scripts(const JobRequest& request, const std::vector<JobTask>& tasks,
                           const SlurmOptions& options, const std::string& name) {
  SlurmScripts scripts;
  for (const JobTask& task : tasks) scripts.tasks += task_line(task);
  std::vector<std::string> quoted;
  for (const std::string& word : request.arguments) quoted.push_back(shell_quoted(word));
  if (!request.target_p90.empty())
    quoted.push_back(fmt::format("--stop-file {}", shell_quoted(request.folder + "/stopped")));
  scripts.job = fmt::format("#!/bin/bash\n{}", headers(request, options, name));
  scripts.job += fmt::format("#SBATCH --array=1-{}\n#SBATCH --ntasks=1\n", tasks.size());
  if (!options.gres.empty()) scripts.job += fmt::format("#SBATCH --gres={}\n", sbatch_word(options.gres));
  if (!options.time_limit.empty())
    scripts.job += fmt::format("#SBATCH --time={}\n", sbatch_word(options.time_limit));
  scripts.job += fmt::format("#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:TERM@{}\n",
                             kWarningSeconds);
  scripts.job += user_headers(options);
  scripts.job += fmt::format(fmt::runtime(kTaskBody), fmt::arg("folder", shell_quoted(request.folder)),
                             fmt::arg("name", name), fmt::arg("program", shell_quoted(request.program)),
                             fmt::arg("arguments", fmt::join(quoted, " ")));
  if (request.target_p90.empty()) return scripts;
  scripts.stop = fmt::format("#!/bin/bash\n{}#SBATCH --ntasks=1\n{}",
                             headers(request, options, name + "-stop"), user_headers(options));
  scripts.stop += fmt::format(fmt::runtime(kStopBody), fmt::arg("folder", shell_quoted(request.folder)),
                              fmt::arg("program", shell_quoted(request.program)),
                              fmt::arg("target", shell_quoted(request.target_p90)));
  return scripts;
}

SubmittedJob submit_to_slurm(const OpRegistry& ops, const JobRequest& request, const SlurmOptions& options,
                             bool dry_run) {
  refuse_what_slurm_cannot_take(request, options);
  make_writable_folder(request.folder);
  if (!dry_run) refuse_while_running(request.folder);
  const std::vector<JobTask> tasks = tasks_of(ops, request);
  SubmittedJob job{.tasks = tasks.size()};
  if (tasks.empty()) return job;
  const std::string name = fmt::format("launch-{}", new_run_id().substr(0, 22));
  const std::string stem = request.folder + "/" + name;
  const SlurmScripts scripts = slurm_scripts(request, tasks, options, name);
  replace_file(stem + ".tasks", scripts.tasks);
  replace_file(stem + ".sh", scripts.job);
  if (!scripts.stop.empty()) replace_file(stem + "-stop.sh", scripts.stop);
  job.script = stem + ".sh";
  if (dry_run) return job;
  job.job_id = sbatch({"sbatch", "--parsable", job.script});
  replace_file(request.folder + "/" + kJobIdFile, job.job_id + "\n");
  if (!scripts.stop.empty())
    sbatch({"sbatch", "--parsable", "--dependency=after:" + job.job_id, stem + "-stop.sh", job.job_id});
  return job;
}

}  // namespace perfatlas
