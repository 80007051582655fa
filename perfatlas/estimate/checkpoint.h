// SPDX-License-Identifier: Apache-2.0
// A model as its files describe it, before any choice of hardware.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/models/hf_config.h"

namespace perfatlas {
class SystemsRoot;
}

namespace perfatlas::estimate {

struct Checkpoint {
  std::string name;                  // as the user gave it: "Qwen/Qwen3-32B" or a path
  HfConfig root;                     // config.json
  HfConfig config;                   // its language model's part
  std::optional<HfConfig> hf_quant;  // hf_quant_config.json, where the checkpoint has one

  std::string architecture() const { return root.architecture(); }
};

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
