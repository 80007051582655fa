// SPDX-License-Identifier: Apache-2.0
// The element types of a checkpoint, from its configuration.
#pragma once

#include <span>

#include "perfatlas/models/hf_config.h"
#include "perfatlas/models/step_builder.h"

namespace perfatlas {

/// Reads torch_dtype (or dtype) and quantization_config. Known methods: fp8 (with weight_block_size: fp8_block),
/// fbgemm_fp8 (fp8_rowwise), mxfp8 and mxfp4 (experts only). A quantised checkpoint that names no activation type
/// computes in bfloat16.
/// Throws Error naming the key for an unknown type or method, listing the known ones.
ModelTypes checkpoint_types(const HfConfig& config);

/// Types a model can be planned in instead of the checkpoint's: bfloat16, float16, float32, and the block types of
/// llama.cpp.
std::span<const Quant> uniform_type_choices();

/// The same model with every weight of one type, for hardware without kernels for the checkpoint's. Activations and KV
/// cache have that type, too; with block types they are float32 and float16, as llama.cpp keeps them.
/// REQUIRES: `type` is one of uniform_type_choices().
ModelTypes uniform_types(Quant type);

}  // namespace perfatlas
