// SPDX-License-Identifier: Apache-2.0
// The values of the published gemm grid, which the quantisation ops share.
#pragma once

#include <cstdint>
#include <vector>

namespace perfatlas {

/// Published token counts (m): tile edges are straddled by x and x+1 up to 4352.
std::vector<int64_t> aic_gemm_tokens();

/// Published feature counts (n and k).
inline constexpr int64_t kAicGemmFeatures[] = {32,   64,    128,   256,   512,   768,  1024, 1536,
                                               2048, 2560,  3072,  3584,  4096,  5120, 6144, 7168,
                                               8192, 10240, 12288, 16384, 51200, 65536};

}  // namespace perfatlas
