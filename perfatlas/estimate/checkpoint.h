// SPDX-License-Identifier: Apache-2.0
// Where the estimator finds checkpoints: folders, files, and the configurations that come with published data.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/models/checkpoint.h"

namespace perfatlas {
class SystemsRoot;
}

namespace perfatlas::estimate {

using perfatlas::Checkpoint;

/// Where models are looked up by their id.
struct ModelLibrary {
  const SystemsRoot* root =
      nullptr;  // the configurations that come with published data: Qwen--Qwen3-32B_config.json
  std::vector<std::string> folders;  // with a folder per model: Qwen3-0.6B/config.json
};

/// Finds `name_or_path`: a folder with a config.json, a JSON file, or an id such as "Qwen/Qwen3-32B" of the library.
/// The organisation may be left out where one id has the name. Throws UsageError naming the nearest known id.
Checkpoint find_checkpoint(const std::string& name_or_path, const ModelLibrary& library);

/// The ids in the library, sorted.
std::vector<std::string> known_checkpoints(const ModelLibrary& library);

}  // namespace perfatlas::estimate
