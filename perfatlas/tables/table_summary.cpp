// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

namespace perfatlas {
namespace {

using Values = std::unordered_set<int64_t>;

/// One slice while it is counted.
struct SliceCount {
  size_t points = 0;
  std::vector<Values> axes;
};

/// Points of the full grid; saturates far above any table.
size_t grid_points(const SliceCount& slice) {
  double points = 1;
  for (const Values& values : slice.axes) points *= double(values.size());
  return size_t(std::min(points, 1e15));
}

FieldSummary summarise_field(const FieldType& field, const Values& values) {
  FieldSummary summary{.column = std::string(field.column), .values = {}, .count = values.size()};
  std::vector<int64_t> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  for (const int64_t value : sorted) summary.values.push_back(field.format(value));
  if (field.kind == ValueKind::symbol || field.kind == ValueKind::enumeration)
    std::sort(summary.values.begin(), summary.values.end());
  if (summary.values.size() > FieldSummary::kMostListed) summary.values.resize(FieldSummary::kMostListed);
  return summary;
}

}  // namespace

TableSummary summarise(const TableRows& rows) {
  const OpType& op = rows.op();
  TableSummary summary{.op = std::string(op.info.id), .rows = rows.size(), .sources = rows.sources()};
  std::map<SliceKey, SliceCount> slices;
  std::vector<Values> axes(op.axes.size()), fields(op.fields.size());
  std::set<std::string> kernels;
  int64_t last_kernel = -1;
  for (size_t row = 0; row < rows.size(); ++row) {
    const FieldValues values = rows.values(row);
    SliceKey key = op.slice_of(values);
    const Symbol kernel = rows.kernel(row);
    if (op.layout.merge.by_kernel) key.push_back(kernel.id());
    SliceCount& slice = slices[std::move(key)];
    slice.axes.resize(op.axes.size());
    ++slice.points;
    for (size_t i = 0; i < op.axes.size(); ++i) {
      const int64_t coordinate = op.axes[i].get(values);
      slice.axes[i].insert(coordinate);
      axes[i].insert(coordinate);
    }
    for (size_t i = 0; i < op.fields.size(); ++i) fields[i].insert(values[i]);
    if (kernel.id() != last_kernel) kernels.insert(std::string(kernel.text()));
    last_kernel = kernel.id();
  }
  summary.slices = slices.size();
  if (op.layout.resolver == Resolver::grid) {
    summary.holes = 0;
    for (const auto& [key, slice] : slices)
      *summary.holes += grid_points(slice) - std::min(grid_points(slice), slice.points);
  }
  for (size_t i = 0; i < op.axes.size() && !rows.empty(); ++i) {
    const auto [lowest, highest] = std::minmax_element(axes[i].begin(), axes[i].end());
    summary.axes.push_back({std::string(op.axes[i].name), *lowest, *highest, axes[i].size()});
  }
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].role == Role::exact) summary.fields.push_back(summarise_field(op.fields[i], fields[i]));
  summary.kernels.assign(kernels.begin(), kernels.end());
  return summary;
}

}  // namespace perfatlas
