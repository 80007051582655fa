// SPDX-License-Identifier: Apache-2.0
// Tables of linear-attention kernels by kernel, phase and shape.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/linear_attention.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {

class LinearTable {
 public:
  /// `shape`: the columns of a shape. REQUIRES: the op has them.
  LinearTable(std::string_view op_id, std::initializer_list<std::string_view> shape, const Database& database,
              SharedLayer shared);

  using Shape = std::vector<int64_t>;
  /// Points of exactly this kernel, phase and shape.
  PointList points(std::string_view kernel, SsmPhase phase, const Shape& shape) const;
  /// The measured shape that differs from the asked one in the last field alone, there the least; of two the smaller.
  /// Nothing when there is none.
  std::optional<Shape> nearest(std::string_view kernel, SsmPhase phase, const Shape& shape) const;
  /// The least measured shape, field by field, whose first field is `first`. Nothing when there is none.
  std::optional<Shape> least(std::string_view kernel, SsmPhase phase, int64_t first) const;
  /// Position of a kernel's first row in the table; nothing when it has none of the phase.
  std::optional<size_t> first_row(std::string_view kernel, SsmPhase phase) const;

 private:
  TableKey key_of(std::string_view kernel, SsmPhase phase, const Shape& shape) const;

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  size_t shape_fields_;
  TableIndex index_;
};

}  // namespace perfatlas::aic
