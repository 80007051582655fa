// SPDX-License-Identifier: Apache-2.0
// The description of the machine that a collection belongs to.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/hw/system_spec.h"

namespace perfatlas {

struct SystemFileRequest {
  std::string folder;     // of the collection: its system.json is used, or written
  std::string given;      // --system-file; wins
  bool no_probe = false;  // without a file: nothing instead of measuring
  std::string backend;
  std::string device;
  std::vector<std::string> worker_command;
};

/// Probes this machine with one worker: facts and measured peaks. `say` gets a line before the measuring starts.
SystemSpec probe_system(const SystemFileRequest& request, double budget_s,
                        const std::function<void(const std::string&)>& say);

/// The given file, else the folder's system.json, else a probe that is written there. Throws Error.
std::optional<SystemSpec> system_for_collection(const SystemFileRequest& request,
                                                const std::function<void(const std::string&)>& say);

}  // namespace perfatlas
