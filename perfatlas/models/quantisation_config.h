// SPDX-License-Identifier: Apache-2.0
// A checkpoint's own words about its quantisation, with the several spellings folded into one.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/models/checkpoint.h"

namespace perfatlas {

struct QuantisationWords {
  std::string
      algorithm;  // fp8, fp8_block, nvfp4, mxfp4, mixed_precision, compressed-tensors, others; empty: none
  std::string kv_algorithm;     // fp8, bfloat16, others; empty: none
  std::optional<bool> dynamic;  // activations are scaled at run time
};

/// Precedence of the algorithm: hf_quant_config.json quant_algo, then quantization_config quant_algo, quant_method,
/// quantization_method. fp8 with a weight_block_size is fp8_block. Throws Error for a quantization_config that names
/// none.
QuantisationWords quantisation_words(const Checkpoint& checkpoint);

/// quantization_config of config.json or of its language model, else what hf_quant_config.json says under the same
/// names; an empty object when there is neither. Throws Error when it is there but no object.
nlohmann::json quantization_config(const Checkpoint& checkpoint);

/// The `quantization` object of hf_quant_config.json, or an empty one.
nlohmann::json hf_quantization(const Checkpoint& checkpoint);

/// Algorithms of single modules, of mixed-precision checkpoints: of routed experts, and of everything else.
struct ModuleAlgorithms {
  std::set<std::string> linear, experts;
};
ModuleAlgorithms module_algorithms(const Checkpoint& checkpoint);

/// The patterns of modules_to_not_convert, exclude_modules and ignore, of quantization_config and hf_quant_config.json.
std::vector<std::string> exclusion_patterns(const Checkpoint& checkpoint);

/// Whether a module name is one of routed experts.
bool names_routed_experts(const std::string& lower_case_module);

/// The algorithm that a module's entry of quantized_layers names, folded; empty when it names none.
std::string module_algorithm(const nlohmann::json& entry);

}  // namespace perfatlas
