// SPDX-License-Identifier: Apache-2.0
// A model as its files describe it, before any choice of hardware.
#pragma once

#include <optional>
#include <string>

#include "perfatlas/models/hf_config.h"

namespace perfatlas {

struct Checkpoint {
  std::string name;                  // as the user gave it: "Qwen/Qwen3-32B" or a path
  HfConfig root;                     // config.json
  HfConfig config;                   // its language model's part
  std::optional<HfConfig> hf_quant;  // hf_quant_config.json, where the checkpoint has one

  std::string architecture() const { return root.architecture(); }
};

/// A checkpoint of a configuration alone, without hf_quant_config.json.
Checkpoint checkpoint_of(const std::string& name, const HfConfig& root);

/// `path` is a config.json or a folder that holds one; a hf_quant_config.json beside it is read, too. Throws Error when
/// one of them cannot be read or is no JSON object.
Checkpoint read_checkpoint(const std::string& name, const std::string& path);

}  // namespace perfatlas
