// SPDX-License-Identifier: Apache-2.0
// Products of many small groups of rows, each with a weight of its own, whose sizes are known on the device alone.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "perfatlas/backends/device.h"

namespace perfatlas {

/// Rows, columns and depth of one group, as CUTLASS reads them.
struct GroupSize {
  int32_t rows, cols, depth;
};

/// Device arrays with an entry per group: y[rows, cols] = x[rows, depth] x w[cols, depth]^T, dense and row-major.
struct GroupedBuffers {
  int64_t groups = 0;
  GroupSize* sizes = nullptr;
  void** x = nullptr;
  void** w = nullptr;
  void** y = nullptr;
  int64_t* x_strides = nullptr;  // elements from row to row: depth, depth, cols
  int64_t* w_strides = nullptr;
  int64_t* y_strides = nullptr;
  void* workspace = nullptr;
};

class GroupedMatmul {
 public:
  virtual ~GroupedMatmul() = default;
  virtual size_t workspace_bytes() const = 0;
  /// Whether the arrays hold the groups that have rows alone, one after another, instead of all.
  virtual bool skips_empty_groups() const { return false; }
  /// Tells the rows of every group that the next launches will have, for libraries that want them on the host.
  virtual void see_rows(std::span<const int64_t> rows) { (void)rows; }
  /// Enqueues all groups as one launch. Throws Error.
  virtual void launch(const GroupedBuffers& buffers, Stream stream) = 0;
};

/// The factory of every unit of this kind. `most_rows`: of all groups together.
struct GroupedShape {
  int64_t groups = 1, most_rows = 1, cols = 1, depth = 1;
};
using MakeGroupedMatmul = std::unique_ptr<GroupedMatmul>(const GroupedShape& shape, Device& device);

}  // namespace perfatlas
