// SPDX-License-Identifier: Apache-2.0
// The element types of a checkpoint, from its configuration.
#pragma once

#include <optional>

#include "perfatlas/models/hf_config.h"
#include "perfatlas/models/step_builder.h"

namespace perfatlas {

/// Reads torch_dtype (or dtype) and quantization_config. Known methods: fp8 (with weight_block_size: fp8_block) and
/// mxfp4 (experts only). A quantised checkpoint that names no activation type computes in bfloat16.
/// Throws Error naming the key for an unknown type or method, listing the known ones.
ModelTypes checkpoint_types(const HfConfig& config);

/// The same model with weights, activations and KV cache of one type, for hardware without kernels for the checkpoint's.
/// REQUIRES: `type` is float32, float16 or bfloat16.
ModelTypes uniform_types(Quant type);

}  // namespace perfatlas
