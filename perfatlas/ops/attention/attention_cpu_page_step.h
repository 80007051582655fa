// SPDX-License-Identifier: Apache-2.0
// What the ways to compute decode attention page by page have in common. A way is a class with
//   Element, Session          what a thread holds while it computes
//   sum_floats()              running sums of one key/value head, in an order of the class's own
//   scratch_bytes()           memory of one thread, a multiple of 64
//   begin(q, scratch)         takes the query rows q[heads, head_dim] of the pages that follow
//   add_page(step, running, scratch)
//   scale(sums, head, factor) the sums of one query head
//   store(sums, head, factor, out)  out[head_dim] = factor * the sums of one query head
#pragma once

#include "perfatlas/ops/attention/attention_cpu_softmax.h"

namespace perfatlas {

/// The query heads that share one key/value head.
struct PageShape {
  int64_t heads = 1;
  int64_t head_dim = 128;
};

/// One page, and where the next one is (anywhere readable if there is none).
template <class T>
struct PageStep {
  const T *keys, *values;  // [64, head_dim]
  const T* next_keys;
  ScoreBlock block;
};

/// The running softmax of each query head, and the sums that belong to it.
struct RunningSums {
  float* sums;
  SoftmaxRow* softmax;
};

/// Asks for one cache line, into the second-level cache. A builtin would be dropped together with a loop that does
/// nothing else.
inline void fetch_line(const void* at) { asm volatile("prefetcht1 (%0)" : : "r"(at)); }

}  // namespace perfatlas
