// SPDX-License-Identifier: Apache-2.0
// What the worker executables share: their command line, the protocol's file descriptors, their exit codes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "perfatlas/worker/protocol_channel.h"

namespace perfatlas {

/// A number of a program's own on its command line.
struct WorkerOption {
  std::string flag;  // "--tune"
  std::string help;
  int* value = nullptr;  // holds the default; not negative
};

struct WorkerProgram {
  std::string name;          // "perfatlas-worker-cpu"
  std::string about;         // the first lines of --help: what it measures on
  std::string example_case;  // a case to try by hand
  std::string devices_help;
  std::string default_device;  // of --devices
  std::vector<WorkerOption> options = {};
  /// Serves until the input ends and returns the exit code. Throws UsageError for a device that does not exist.
  std::function<int(const std::string& device, ProtocolChannel& channel)> serve;
};

/// Runs the program: 0 when the input ended, 1 when the device failed, 2 for wrong usage (also when started on a
/// terminal, where it explains itself).
int run_worker_program(const WorkerProgram& program, int argc, char** argv);

}  // namespace perfatlas
