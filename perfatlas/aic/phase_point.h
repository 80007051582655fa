// SPDX-License-Identifier: Apache-2.0
// Where in serving an op is priced.
#pragma once

#include <cstdint>

namespace perfatlas::aic {

/// One engine step of one phase. Token ops read `tokens`, attention ops (batch, s, prefix), state-space ops batch
/// and s.
struct PhasePoint {
  bool context = true;  // false: generation
  int64_t batch = 1;    // requests
  int64_t s = 1;       // context: new tokens of a request; generation: length of its sequence after this step
  int64_t prefix = 0;  // context: tokens of a request that are in the KV cache already
  int64_t tokens = 1;  // tokens of the step on this rank
  double imbalance = 1;  // factor on attention of a batch of unequal lengths

  /// A prefill step: tokens = batch * s.
  static constexpr PhasePoint in_context(int64_t batch, int64_t s, int64_t prefix = 0) {
    return {.context = true, .batch = batch, .s = s, .prefix = prefix, .tokens = batch * s};
  }
  /// A decode step: tokens = batch.
  static constexpr PhasePoint in_generation(int64_t batch, int64_t s) {
    return {.context = false, .batch = batch, .s = s, .tokens = batch};
  }
};

}  // namespace perfatlas::aic
