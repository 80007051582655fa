// SPDX-License-Identifier: Apache-2.0
// The element types of a checkpoint, from its files.
#pragma once

#include <span>

#include "perfatlas/models/checkpoint.h"
#include "perfatlas/models/step_builder.h"

namespace perfatlas {

/// Reads torch_dtype (or dtype), the checkpoint's words about its quantisation (quantisation_config.h) and the modules
/// that these leave out. A quantised checkpoint that names no activation type computes in bfloat16. Output projections
/// on the vocabulary stay in the stored type: no published method quantises them by default. Routers, too.
/// Throws Error naming the key for an unknown type or method, listing the known ones.
ModelTypes checkpoint_types(const Checkpoint& checkpoint);

/// Types a model can be planned in instead of the checkpoint's: bfloat16, float16, float32, and the block types of
/// llama.cpp.
std::span<const Quant> uniform_type_choices();

/// The same model with every weight of one type, for hardware without kernels for the checkpoint's. Activations and KV
/// cache have that type, too; with block types they are float32 and float16, as llama.cpp keeps them.
/// REQUIRES: `type` is one of uniform_type_choices().
ModelTypes uniform_types(Quant type);

}  // namespace perfatlas
