// SPDX-License-Identifier: Apache-2.0
// A collection as a Slurm array job: a script that people can read, change and submit themselves.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/cluster/job_request.h"

namespace perfatlas {

struct SlurmOptions {
  std::string partition;                    // empty: the cluster's default
  std::string time_limit;                   // as sbatch --time takes it; empty: the partition's
  std::string gres;                         // e.g. gpu:1; empty: none
  std::vector<std::string> sbatch_options;  // further ones, as on sbatch's command line: --account=abc
};

struct SlurmScripts {
  std::string tasks;  // one line per task, read by `job`: shard, folder, each folder done in; tab-separated
  std::string job;    // the array job
  std::string stop;   // with a target: a small job that judges all journals while the array runs; else empty
};

/// `name`: stem of the files that the scripts find each other by (<folder>/<name>.tasks).
/// The array job: each task checks that the folder is the shared one, runs perfatlas collect, passes the warning before
/// the time limit on as SIGTERM and has itself requeued while it makes progress. Exit code: that of perfatlas.
SlurmScripts slurm_scripts(const JobRequest& request, const std::vector<JobTask>& tasks,
                           const SlurmOptions& options, const std::string& name);

struct SubmittedJob {
  std::string job_id;  // empty in a dry run
  std::string script;  // path
  uint64_t tasks = 0;  // 0: everything is decided already
};

/// Writes the scripts into the folder and submits them (dry_run: only writes). A second call continues what is left, in
/// pieces when there are more tasks than unfinished shards.
/// Throws Error with sbatch's own words when it refuses, when sbatch is missing, and when an earlier job of the folder
/// is still queued or running. Throws UsageError for a folder or an option that no script of sbatch can hold: with a
/// line break, a folder also with a backslash.
SubmittedJob submit_to_slurm(const OpRegistry& ops, const JobRequest& request, const SlurmOptions& options,
                             bool dry_run);

}  // namespace perfatlas
