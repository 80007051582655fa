// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/checkpoint_types.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/models/module_kinds.h"
#include "perfatlas/models/quantisation_config.h"

namespace perfatlas {
namespace {

using nlohmann::json;

/// The language model's own type where it writes one, else the whole model's.
Quant stored_type(const Checkpoint& checkpoint, bool quantised) {
  std::string name = quantised ? "bfloat16" : "";
  for (const HfConfig* config : {&checkpoint.root, &checkpoint.config})
    for (const char* key : {"dtype", "torch_dtype"}) name = config->text_if(key).value_or(name);
  for (const Quant quant : {Quant::bf16, Quant::f16, Quant::f32})
    if (name == name_of(quant)) return quant;
  throw Error(fmt::format("{}: key 'torch_dtype' is '{}', expected bfloat16, float16 or float32",
                          checkpoint.config.origin(), clipped(name)));
}

[[noreturn]] void refuse(const Checkpoint& checkpoint, const std::string& what) {
  throw Error(
      fmt::format("{}: {}; --dtype bfloat16 plans the unquantised model", checkpoint.root.origin(), what));
}

Quant& type_of(ModelTypes& types, ModuleKind kind) {
  switch (kind) {
    case ModuleKind::projection:
      return types.projection;
    case ModuleKind::output:
      return types.output;
    case ModuleKind::dense:
      return types.dense;
    case ModuleKind::shared_expert:
      return types.shared_expert;
    case ModuleKind::experts:
      break;
  }
  return types.experts;
}

void set_all(ModelTypes& types, Quant quant) {
  for (const ModuleKind kind : kModuleKinds) type_of(types, kind) = quant;
}

/// What a checkpoint says of one group of tensors: {"num_bits": 8, "type": "float", ...}.
struct TensorScheme {
  int64_t bits = 0;
  bool real = false;  // a floating-point type
  bool dynamic = false;
  std::string strategy;
};

std::optional<TensorScheme> tensor_scheme(const HfConfig& group, const char* key) {
  const auto scheme = group.object_if(key);
  if (!scheme) return std::nullopt;
  const auto dynamic = scheme->json().find("dynamic");  // true, false or "local"
  return TensorScheme{.bits = scheme->positive("num_bits"),
                      .real = scheme->text_if("type").value_or("int") == "float",
                      .dynamic = dynamic != scheme->json().end() && *dynamic != false,
                      .strategy = scheme->text_if("strategy").value_or("")};
}

/// The type of a group of compressed-tensors, or nothing where no type of ours has those bits.
std::optional<Quant> group_type(const TensorScheme& weights, const std::optional<TensorScheme>& inputs) {
  if (weights.bits == 4 && !weights.real && !inputs) return Quant::int4_wo;
  if (weights.bits == 8 && !weights.real) return inputs ? Quant::int8 : Quant::int8_wo;
  if (weights.bits == 4 && weights.real && weights.strategy == "tensor_group")
    return inputs ? Quant::nvfp4 : Quant::w4a16_nvfp4;
  if (weights.bits == 4 && weights.real && !inputs) return Quant::w4a16_mxfp4;
  if (weights.bits != 8 || !inputs || inputs->bits != 8) return std::nullopt;
  if (weights.strategy == "block") return Quant::fp8_block;
  if (weights.strategy == "channel") return Quant::fp8_rowwise;
  return inputs->dynamic ? Quant::fp8 : Quant::fp8_static;
}

void apply_groups(const Checkpoint& checkpoint, ModelTypes& types) {
  // Multimodal checkpoints write it in the language model's part.
  auto written = checkpoint.root.object_if("quantization_config");
  if (!written) written = checkpoint.config.object_if("quantization_config");
  const auto groups = written ? written->object_if("config_groups") : std::nullopt;
  if (!groups) refuse(checkpoint, "quantization_config has no config_groups");
  for (const auto& [name, value] : groups->json().items()) {
    if (!value.is_object()) refuse(checkpoint, fmt::format("config_groups {} is no object", clipped(name)));
    const HfConfig group = *groups->object_if(name);
    const auto weights = tensor_scheme(group, "weights");
    if (!weights) refuse(checkpoint, fmt::format("{} has no weights", clipped(name)));
    const auto quant = group_type(*weights, tensor_scheme(group, "input_activations"));
    if (!quant)
      refuse(checkpoint, fmt::format("{} has {}-bit {} weights of a kind that no kernel here has",
                                     clipped(name), weights->bits, weights->real ? "float" : "integer"));
    for (const std::string& target : group.texts("targets"))
      for (const ModuleKind kind : kModuleKinds)
        if (names_kind(target, kind)) type_of(types, kind) = *quant;
  }
}

std::optional<Quant> named_algorithm(const std::string& algorithm, bool dynamic) {
  if (algorithm == "fp8") return dynamic ? Quant::fp8 : Quant::fp8_static;
  if (algorithm == "fp8_block") return Quant::fp8_block;
  if (algorithm == "fbgemm_fp8" || algorithm == "ptpc_fp8") return Quant::fp8_rowwise;
  if (algorithm == "mxfp8") return Quant::mxfp8;
  if (algorithm == "nvfp4") return Quant::nvfp4;
  if (algorithm == "w4a16_nvfp4") return Quant::w4a16_nvfp4;
  return std::nullopt;
}

/// Every module of quantised_layers has an algorithm of its own; a part takes that of its last one. Parts without keep
/// their type.
void apply_modules(const Checkpoint& checkpoint, ModelTypes& types) {
  for (const json& source : {hf_quantization(checkpoint), quantization_config(checkpoint)}) {
    const auto layers = source.find("quantized_layers");
    if (layers == source.end() || !layers->is_object()) continue;
    for (const auto& [module, entry] : layers->items())
      for (const ModuleKind kind : kModuleKinds) {
        if (!names_kind(module, kind)) continue;
        const auto quant = named_algorithm(module_algorithm(entry), false);
        if (!quant)
          refuse(checkpoint, fmt::format("quantized_layers gives {} the algorithm '{}'", clipped(module),
                                         clipped(module_algorithm(entry))));
        type_of(types, kind) = *quant;
      }
  }
}

/// Weight-only methods of integers, by their bits.
Quant weight_only(const Checkpoint& checkpoint, const std::string& algorithm) {
  const json config = quantization_config(checkpoint);
  for (const char* key : {"bits", "w_bit", "num_bits"})
    if (const auto bits = config.find(key); bits != config.end()) {
      if (*bits == 4) return Quant::int4_wo;
      if (*bits == 8) return Quant::int8_wo;
    }
  refuse(checkpoint, fmt::format("quantization_config of {} has no 'bits' of 4 or 8", algorithm));
}

void apply_algorithm(const Checkpoint& checkpoint, const QuantisationWords& words, ModelTypes& types) {
  // FP8 without a word on its activations has their scales in the checkpoint.
  if (const auto quant = named_algorithm(words.algorithm, words.dynamic.value_or(false)))
    return set_all(types, *quant);
  if (words.algorithm == "mxfp4") {
    types.experts = Quant::w4a16_mxfp4;
  } else if (words.algorithm == "awq" || words.algorithm == "gptq") {
    set_all(types, weight_only(checkpoint, words.algorithm));
  } else if (words.algorithm == "compressed-tensors") {
    apply_groups(checkpoint, types);
  } else if (words.algorithm == "mixed_precision") {
    apply_modules(checkpoint, types);
  } else {
    refuse(checkpoint,
           fmt::format(
               "quantization_config.quant_method is '{}'; known: fp8, fbgemm_fp8, ptpc_fp8, mxfp8, mxfp4, "
               "nvfp4, w4a16_nvfp4, awq, gptq, compressed-tensors, mixed_precision",
               clipped(words.algorithm)));
  }
}

}  // namespace

ModelTypes checkpoint_types(const Checkpoint& checkpoint) {
  const QuantisationWords words = quantisation_words(checkpoint);
  const Quant stored = stored_type(checkpoint, !words.algorithm.empty());
  ModelTypes types = uniform_types(stored);
  if (words.algorithm.empty()) return types;
  apply_algorithm(checkpoint, words, types);
  const std::vector<std::string> patterns = exclusion_patterns(checkpoint);
  const int64_t layers = checkpoint.config.positive_if("num_hidden_layers").value_or(1);
  for (const ModuleKind kind : kModuleKinds)
    if (leaves_out(patterns, kind, layers)) type_of(types, kind) = stored;
  if (words.kv_algorithm == "fp8") types.kv = DType::fp8_e4m3;
  return types;
}

std::span<const Quant> uniform_type_choices() {
  static constexpr Quant kChoices[] = {Quant::bf16, Quant::f16,  Quant::f32, Quant::q8_0,
                                       Quant::q4_0, Quant::q4_k, Quant::q6_k};
  return kChoices;
}

ModelTypes uniform_types(Quant type) {
  const QuantTraits traits = traits_of(type);
  const bool blocks = is_block_type(traits.weight);
  ModelTypes types{
      .logits = type, .activation = traits.activation, .kv = blocks ? DType::f16 : traits.activation};
  set_all(types, type);
  return types;
}

}  // namespace perfatlas
