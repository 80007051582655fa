// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/quantisation_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <initializer_list>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

using nlohmann::json;

std::string stripped(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

/// The first of several keys that holds a text, in lower case.
std::string first_text(const json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const auto at = object.find(key);
        at != object.end() && at->is_string() && !at->get<std::string>().empty())
      return lower_case(stripped(at->get<std::string>()));
  return {};
}

json object_at(const json& parent, const char* key) {
  const auto at = parent.find(key);
  return at != parent.end() && at->is_object() ? *at : json::object();
}

std::string folded_kv(const std::string& word) {
  if (word == "fp8" || word == "e4m3" || word == "e5m2") return "fp8";
  if (word == "fp16" || word == "float16" || word == "bf16" || word == "bfloat16") return "bfloat16";
  return word;
}

std::string folded_algorithm(const std::string& word) {
  if (word == "w4a16_mxfp4") return "mxfp4";
  if (word == "mixed-precision" || word == "mixedprecision") return "mixed_precision";
  return word;
}

/// kv_cache_scheme: {"type": "float", "num_bits": 8}.
std::string kv_of_scheme(const json& scheme) {
  const std::string type = first_text(scheme, {"type"});
  const auto bits = scheme.find("num_bits");
  if (type.find("fp8") != std::string::npos) return "fp8";
  if (type != "float" || bits == scheme.end() || !bits->is_number_integer()) return {};
  return bits->get<int>() <= 8 ? "fp8" : bits->get<int>() >= 16 ? "bfloat16" : "";
}

std::optional<bool> is_dynamic(const json& config) {
  const std::string scheme = first_text(config, {"activation_scheme"});
  if (scheme == "dynamic") return true;
  if (scheme == "static") return false;
  std::optional<bool> found;
  const json groups = object_at(config, "config_groups");
  for (const auto& [name, group] : groups.items())
    for (const char* key : {"input_activations", "weights"}) {
      if (!group.is_object()) continue;
      const json item = object_at(group, key);
      const auto at = item.find("dynamic");
      if (at == item.end()) continue;
      found = found.value_or(false) || (at->is_boolean() ? at->get<bool>() : !at->is_null());
    }
  return found;
}

std::string folded_module_algorithm(const std::string& word) {
  if (word == "e4m3" || word == "e5m2") return "fp8";
  return word == "fp4" ? "nvfp4" : word;
}

/// A config group without an algorithm's name, by its bits.
std::string group_algorithm(const json& group) {
  const json weights = object_at(group, "weights");
  if (const std::string named = first_text(weights, {"quant_algo", "quantization_algo", "quant_method"});
      !named.empty())
    return folded_module_algorithm(named);
  const auto bits = weights.find("num_bits");
  if (bits == weights.end() || !bits->is_number_integer()) return {};
  if (first_text(weights, {"type"}).find("float") == std::string::npos) return {};
  if (bits->get<int>() == 8) return weights.value("group_size", json()) == 32 ? "mxfp8" : "fp8";
  return bits->get<int>() == 4 ? "nvfp4" : "";
}

void add_module(ModuleAlgorithms& found, const std::string& module, const std::string& algorithm) {
  if (algorithm.empty()) return;
  (names_routed_experts(lower_case(module)) ? found.experts : found.linear).insert(algorithm);
}

void append_texts(const json& object, const char* key, std::vector<std::string>& out) {
  const auto at = object.find(key);
  if (at == object.end() || !at->is_array()) return;
  for (const json& entry : *at)
    if (entry.is_string()) out.push_back(entry.get<std::string>());
}

}  // namespace

json hf_quantization(const Checkpoint& checkpoint) {
  return checkpoint.hf_quant ? object_at(checkpoint.hf_quant->json(), "quantization") : json::object();
}

json quantization_config(const Checkpoint& checkpoint) {
  if (checkpoint.root.json().contains("quantization_config")) {
    const auto written = checkpoint.root.object_if("quantization_config");
    return written ? written->json() : json::object();
  }
  const json hf = hf_quantization(checkpoint);
  json normalized = json::object();
  if (const std::string word = first_text(hf, {"quant_algo", "quantization_algo"}); !word.empty())
    normalized["quant_method"] = word;
  if (const std::string word = first_text(hf, {"kv_cache_quant_algo"}); !word.empty())
    normalized["kv_cache_quant_method"] = word;
  if (!normalized.empty()) return normalized;
  return object_at(checkpoint.config.json(), "quantization_config");
}

QuantisationWords quantisation_words(const Checkpoint& checkpoint) {
  const json config = quantization_config(checkpoint), hf = hf_quantization(checkpoint);
  QuantisationWords words;
  words.algorithm = first_text(hf, {"quant_algo"});
  if (words.algorithm.empty())
    words.algorithm = first_text(config, {"quant_algo", "quant_method", "quantization_method"});
  words.algorithm = folded_algorithm(words.algorithm);
  words.kv_algorithm = first_text(hf, {"kv_cache_quant_algo"});
  if (words.kv_algorithm.empty())
    words.kv_algorithm =
        first_text(config, {"kv_cache_quant_algo", "kv_cache_quant_method", "kv_cache_dtype"});
  words.kv_algorithm = folded_kv(words.kv_algorithm);
  if (words.kv_algorithm.empty()) words.kv_algorithm = kv_of_scheme(object_at(config, "kv_cache_scheme"));
  if (words.algorithm.empty() && !config.empty())
    throw Error(fmt::format("{}: quantization_config names no quant_algo and no quant_method",
                            checkpoint.root.origin()));
  const auto block = config.find("weight_block_size");
  if (words.algorithm == "fp8" && block != config.end() && block->is_array() && !block->empty())
    words.algorithm = "fp8_block";
  words.dynamic = is_dynamic(config);
  return words;
}

bool names_routed_experts(const std::string& module) {
  if (module.find("shared_expert") != std::string::npos) return false;
  return module.find(".experts.") != std::string::npos || module.ends_with(".experts") ||
         module.find("routing_expert") != std::string::npos;
}

std::string module_algorithm(const json& entry) {
  if (entry.is_object())
    return folded_module_algorithm(first_text(entry, {"quant_algo", "quantization_algo", "quant_method"}));
  return entry.is_string() ? folded_module_algorithm(lower_case(stripped(entry.get<std::string>()))) : "";
}

ModuleAlgorithms module_algorithms(const Checkpoint& checkpoint) {
  ModuleAlgorithms found;
  const json config = quantization_config(checkpoint);
  for (const json& source : {hf_quantization(checkpoint), config}) {
    const json layers = object_at(source, "quantized_layers");
    for (const auto& [module, entry] : layers.items()) add_module(found, module, module_algorithm(entry));
  }
  const json groups = object_at(config, "config_groups");
  for (const auto& [name, group] : groups.items()) {
    if (!group.is_object()) continue;
    const std::string algorithm = group_algorithm(group);
    const auto targets = group.find("targets");
    if (targets == group.end() || !targets->is_array()) continue;
    for (const json& target : *targets)
      if (target.is_string()) add_module(found, target.get<std::string>(), algorithm);
  }
  return found;
}

std::vector<std::string> exclusion_patterns(const Checkpoint& checkpoint) {
  std::vector<std::string> patterns;
  const json config = quantization_config(checkpoint), hf = hf_quantization(checkpoint);
  for (const char* key : {"modules_to_not_convert", "exclude_modules", "ignore"})
    append_texts(config, key, patterns);
  for (const char* key : {"exclude_modules", "ignore"}) append_texts(hf, key, patterns);
  return patterns;
}

}  // namespace perfatlas
