// SPDX-License-Identifier: Apache-2.0
// collect --launcher: the same collection on many machines.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct LaunchArguments {
  std::string launcher;  // empty: collect here; else slurm or k8s
  uint64_t tasks = 0;
  std::string partition, time_limit, gres;
  std::vector<std::string> sbatch_options;
  std::string job_name = "perfatlas", image, claim;
  bool dry_run = false;
};

/// What the launched command is made of.
struct LaunchedCommand {
  std::vector<std::string> words;  // of the whole command line
  std::string out;                 // --out
  std::string shard;               // --shard, which only tasks may have
  std::string target_p90;
};

void add_launch_options(CLI::App& verb, LaunchArguments& arguments);

/// The words after "collect" without --out and what belongs to launching: the arguments of each task.
std::vector<std::string> task_arguments(const std::vector<std::string>& words);

/// Writes and submits (or prints) the jobs; returns the exit code. Throws UsageError, Error.
int launch(const LaunchArguments& arguments, const LaunchedCommand& command, const OpRegistry& ops);

}  // namespace perfatlas
