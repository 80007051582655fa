// SPDX-License-Identifier: Apache-2.0
// For tests of workers: the program PERFATLAS_WORKER on a machine whose GPUs are hidden.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace perfatlas {

struct WorkerRun {
  std::string output;
  int exit_code = -1;
};

/// Runs the worker with `input` as its standard input.
inline WorkerRun run_worker(const std::string& arguments, const std::string& input) {
  const std::string command =
      "printf '%s' '" + input + "' | CUDA_VISIBLE_DEVICES= " PERFATLAS_WORKER " " + arguments + " 2>&1";
  WorkerRun outcome;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) outcome.output.append(buffer, got);
  outcome.exit_code = WEXITSTATUS(pclose(pipe));
  return outcome;
}

}  // namespace perfatlas
