// SPDX-License-Identifier: Apache-2.0
// For tests: a library that is found as cuDNN 9.19.2, and as the CUDA runtime beside it. It computes nothing.
#include <cstddef>

extern "C" std::size_t cudnnGetVersion() { return 91902; }
