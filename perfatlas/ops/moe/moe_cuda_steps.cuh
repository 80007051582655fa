// SPDX-License-Identifier: Apache-2.0
// The steps of an expert layer around its products: routing, sorting rows by expert, activation, weighted sum. Group
// sizes stay on the device, so that a layer is captured in a graph whatever its routing is.
#pragma once

#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_element.cuh"
#include "perfatlas/backends/cuda/grouped_matmul.h"
#include "perfatlas/ops/moe/moe.h"

namespace perfatlas {

/// The value before the addition. Blocks of a launch on the host run one after the other.
PERFATLAS_BOTH inline int32_t add_to(int32_t* counter, int32_t value) {
#ifdef __CUDA_ARCH__
  return atomicAdd(counter, value);
#else
  const int32_t before = *counter;
  *counter += value;
  return before;
#endif
}

/// Counters and tables of one launch, in the workspace.
struct MoeTables {
  int32_t* expert = nullptr;   // [tokens, topk]: chosen expert
  float* weight = nullptr;     // [tokens, topk]: softmax over the chosen
  int32_t* row = nullptr;      // [tokens, topk]: row among the sorted ones; -1: an expert of another rank
  int32_t* counts = nullptr;   // [local experts]
  int32_t* offsets = nullptr;  // [local experts + 1]
  int32_t* cursors = nullptr;  // [local experts]
};

struct ClearCounters {
  int64_t experts = 0;
  MoeTables tables;
  int64_t blocks() const { return 1; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const MoeTables t = tables;
    block.each(experts, [=](int64_t e) { t.counts[e] = t.cursors[e] = 0; });
  }
};

/// A block per token: the topk largest logits one after the other (of equal ones the lower index), their softmax, and
/// how many rows each local expert gets.
template <class T>
struct RouteTokens {
  int64_t tokens = 0, experts = 0, topk = 0, local = 0;
  const T* logits = nullptr;
  MoeTables tables;

  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return experts; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const T* row = logits + block.index() * experts;
    float* left = block.shared();
    int32_t* chosen = tables.expert + block.index() * topk;
    float* weights = tables.weight + block.index() * topk;
    int32_t* counts = tables.counts;
    const int64_t here = local, kept = topk, all = experts;
    block.each(all, [=](int64_t e) { left[e] = to_float(row[e]); });
    float first = 0, total = 0;
    for (int64_t j = 0; j < kept; ++j) {
      const float best = block.largest(all, -INFINITY, [=](int64_t e) { return left[e]; });
      // The lowest index among equals is the largest of the negated indices.
      const float index =
          -block.largest(all, -INFINITY, [=](int64_t e) { return left[e] == best ? -float(e) : -INFINITY; });
      if (j == 0) first = best;
      const float weight = expf(best - first);
      total += weight;
      block.each(1, [=](int64_t) {
        const auto e = int32_t(index);
        chosen[j] = e;
        weights[j] = weight;
        left[e] = -INFINITY;
        if (e < here) add_to(counts + e, 1);
      });
    }
    block.each(kept, [=](int64_t j) { weights[j] /= total; });
  }
};

/// One block: where the rows of each local expert begin, and the groups of both products: of all experts, or those with
/// rows one after another.
template <class X, class Y>
struct FormGroups {
  int64_t experts = 0, hidden = 0, inter = 0, in_cols = 0;  // in_cols: columns of the first product
  bool skip_empty = false;
  MoeTables tables;
  GroupedBuffers in, out;
  X* x = nullptr;       // [rows, hidden]
  Y* middle = nullptr;  // [rows, in_cols]
  X* activated = nullptr;
  Y* y = nullptr;
  const X* w13 = nullptr;
  const X* w2 = nullptr;

  int64_t blocks() const { return 1; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const MoeTables t = tables;
    const int64_t count = experts;
    block.each(1, [=](int64_t) {
      t.offsets[0] = 0;
      for (int64_t e = 0; e < count; ++e) t.offsets[e + 1] = t.offsets[e] + t.counts[e];
    });
    const FormGroups& self = *this;
    block.each(count, [&](int64_t e) {
      const int64_t start = t.offsets[e];
      const int32_t rows = t.counts[e];
      if (self.skip_empty && rows == 0) return;
      const int64_t at = self.skip_empty ? with_rows_before(t.counts, e) : e;
      set(self.in, at, {rows, int32_t(self.in_cols), int32_t(self.hidden)}, self.x + start * self.hidden,
          self.w13 + e * self.in_cols * self.hidden, self.middle + start * self.in_cols);
      set(self.out, at, {rows, int32_t(self.hidden), int32_t(self.inter)},
          self.activated + start * self.inter, self.w2 + e * self.hidden * self.inter,
          self.y + start * self.hidden);
    });
  }
  PERFATLAS_BOTH static int64_t with_rows_before(const int32_t* counts, int64_t expert) {
    int64_t found = 0;
    for (int64_t e = 0; e < expert; ++e) found += counts[e] > 0;
    return found;
  }
  PERFATLAS_BOTH static void set(const GroupedBuffers& group, int64_t at, GroupSize size, X* x, const X* w,
                                 Y* y) {
    group.sizes[at] = size;
    group.x[at] = x;
    group.w[at] = const_cast<X*>(w);
    group.y[at] = y;
    group.x_strides[at] = group.w_strides[at] = size.depth;
    group.y_strides[at] = size.cols;
  }
};

/// A block per token: its row goes to each local expert that it chose.
template <class T, class X>
struct SortRows {
  int64_t tokens = 0, topk = 0, hidden = 0, local = 0;
  const T* x = nullptr;
  X* sorted = nullptr;
  MoeTables tables;

  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const MoeTables t = tables;
    const int64_t first = block.index() * topk, here = local;
    block.each(topk, [=](int64_t j) {
      const int32_t e = t.expert[first + j];
      t.row[first + j] = e < here ? t.offsets[e] + add_to(t.cursors + e, 1) : -1;
    });
    const T* from = x + block.index() * hidden;
    const int64_t width = hidden;
    X* to = sorted;
    block.each(topk * width, [=](int64_t at) {
      const int32_t row = t.row[first + at / width];
      if (row >= 0) to[row * width + at % width] = from_float<X>(to_float(from[at % width]));
    });
  }
};

/// A block per sorted row.
template <class X, class Y>
struct ActivateSortedRows {
  int64_t most_rows = 0, inter = 0, experts = 0;
  bool gated = true;
  const Y* middle = nullptr;
  X* activated = nullptr;
  const int32_t* offsets = nullptr;

  int64_t blocks() const { return most_rows; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    if (block.index() >= offsets[experts]) return;
    const int64_t width = inter;
    const bool with_gate = gated;
    const Y* row = middle + block.index() * width * (with_gate ? 2 : 1);
    X* to = activated + block.index() * width;
    block.each(width, [=](int64_t i) {
      const float v = to_float(row[i]);
      const float positive = v > 0 ? v : 0;
      to[i] = from_float<X>(with_gate ? v / (1 + expf(-v)) * to_float(row[width + i]) : positive * positive);
    });
  }
};

/// A block per token: the weighted sum of its rows, in the order of its choices.
template <class T, class Y>
struct SumRows {
  int64_t tokens = 0, topk = 0, hidden = 0;
  const Y* y = nullptr;
  T* out = nullptr;
  MoeTables tables;

  int64_t blocks() const { return tokens; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t width = hidden, kept = topk;
    const int32_t* rows = tables.row + block.index() * kept;
    const float* weights = tables.weight + block.index() * kept;
    const Y* from = y;
    T* to = out + block.index() * width;
    block.each(width, [=](int64_t i) {
      float sum = 0;
      for (int64_t j = 0; j < kept; ++j)
        if (rows[j] >= 0) sum += weights[j] * to_float(from[rows[j] * width + i]);
      to[i] = from_float<T>(sum);
    });
  }
};

/// The plain grouped product: a block per group, row and 256 columns.
template <class X, class Y>
struct PlainGroups {
  static constexpr int64_t kColumns = 256;
  int64_t most_rows = 0, cols = 0;
  const int32_t* offsets = nullptr;
  GroupedBuffers groups;

  int64_t blocks() const { return most_rows * ((cols + kColumns - 1) / kColumns); }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t row = block.index() % most_rows, first = block.index() / most_rows * kColumns;
    if (row >= offsets[groups.groups]) return;
    int64_t group = 0;
    while (offsets[group + 1] <= row) ++group;
    const GroupSize size = groups.sizes[group];
    const int64_t depth = size.depth, in_group = row - offsets[group];
    const X* x = static_cast<const X*>(groups.x[group]) + in_group * groups.x_strides[group];
    const X* w = static_cast<const X*>(groups.w[group]);
    const int64_t w_stride = groups.w_strides[group];
    Y* y = static_cast<Y*>(groups.y[group]) + in_group * groups.y_strides[group];
    const int64_t left = size.cols - first;
    block.each(left < kColumns ? left : kColumns, [=](int64_t i) {
      float sum = 0;
      for (int64_t d = 0; d < depth; ++d) sum += to_float(x[d]) * to_float(w[(first + i) * w_stride + d]);
      y[first + i] = from_float<Y>(sum);
    });
  }
};

}  // namespace perfatlas
