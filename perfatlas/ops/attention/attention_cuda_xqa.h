// SPDX-License-Identifier: Apache-2.0
// FlashInfer's XQA decode, from the modules beside the worker.
#pragma once

#include <memory>
#include <string>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/attention/attention_cuda_unit.h"

namespace perfatlas {

/// "perfatlas_xqa_bf16_fp8_128_8.so": queries, cache, elements per head, query heads per key/value head.
std::string xqa_module_file(const AttentionShape& shape);

/// Why the decode of `shape` cannot run on the device, or empty: a type, window or part that XQA has no kernel for, a
/// module that is not in device.module_folder(), cannot be opened, or is of another build. Opens the module of a part
/// that it can run on.
std::string why_no_xqa(const AttentionShape& shape, const CudaDevice& device);

/// Throws Error. REQUIRES: why_no_xqa() is empty, one new token per sequence.
std::unique_ptr<PagedAttention> make_xqa_decode(const AttentionShape& shape, CudaDevice& device);

/// Largest relative error of the results: XQA multiplies an fp8 cache by queries and weights that are rounded to fp8,
/// too. 0: what the types allow.
double xqa_allowed_error(const AttentionShape& shape);

}  // namespace perfatlas
