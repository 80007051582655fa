// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/checkpoint.h"

#include <filesystem>

namespace perfatlas {

namespace fs = std::filesystem;

Checkpoint checkpoint_of(const std::string& name, const HfConfig& root) {
  return {.name = name, .root = root, .config = root.language_part(), .hf_quant = std::nullopt};
}

Checkpoint read_checkpoint(const std::string& name, const std::string& path) {
  Checkpoint checkpoint = checkpoint_of(name, HfConfig::load(path));
  const fs::path folder = fs::is_directory(path) ? fs::path(path) : fs::path(path).parent_path();
  const fs::path quantisation = folder / "hf_quant_config.json";
  if (fs::exists(quantisation)) checkpoint.hf_quant = HfConfig::load(quantisation.string());
  return checkpoint;
}

}  // namespace perfatlas
