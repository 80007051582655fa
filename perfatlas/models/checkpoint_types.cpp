// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/checkpoint_types.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

Quant stored_type(const HfConfig& config, bool quantised) {
  const auto written = config.text_if("torch_dtype");
  const std::string name = written ? *written : config.text_if("dtype").value_or(quantised ? "bfloat16" : "");
  for (const Quant quant : {Quant::bf16, Quant::f16, Quant::f32})
    if (name == name_of(quant)) return quant;
  throw Error(fmt::format("{}: key 'torch_dtype' is '{}', expected bfloat16, float16 or float32",
                          config.origin(), name));
}

}  // namespace

ModelTypes checkpoint_types(const HfConfig& config) {
  const auto quantisation = config.object_if("quantization_config");
  ModelTypes types = uniform_types(stored_type(config, quantisation.has_value()));
  if (!quantisation) return types;
  const std::string method = quantisation->text_if("quant_method").value_or("");
  if (method == "fp8") {
    types.linear = types.experts = quantisation->has("weight_block_size") ? Quant::fp8_block : Quant::fp8;
  } else if (method == "fbgemm_fp8") {
    types.linear = types.experts = Quant::fp8_rowwise;
  } else if (method == "mxfp8") {
    types.linear = types.experts = Quant::mxfp8;
  } else if (method == "mxfp4") {
    types.experts = Quant::w4a16_mxfp4;
  } else {
    throw Error(
        fmt::format("{}: quantization_config.quant_method is '{}'; known: fp8, fbgemm_fp8, mxfp8, mxfp4; "
                    "--dtype bfloat16 "
                    "plans the unquantised model",
                    config.origin(), method));
  }
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
  return {.linear = type,
          .experts = type,
          .activation = traits.activation,
          .kv = blocks ? DType::f16 : traits.activation};
}

}  // namespace perfatlas
