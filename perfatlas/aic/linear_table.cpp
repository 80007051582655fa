// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/linear_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

namespace perfatlas::aic {
namespace {

enum Column : size_t { kernel_source, phase_column, batch, seq, first_shape };
enum KeyPlace : size_t { kernel_place, phase_place, shape_place };

std::string_view name_of(SsmPhase phase) {
  static constexpr std::array<std::string_view, 3> kNames{"context", "generation", "verify"};
  return kNames[size_t(phase)];
}

TableFields all_fields(const TableRows& rows, std::initializer_list<std::string_view> shape) {
  std::vector<std::string_view> columns{"kernel_source", "phase", "batch_size", "seq_len"};
  columns.insert(columns.end(), shape.begin(), shape.end());
  return {rows, columns};
}

}  // namespace

LinearTable::LinearTable(std::string_view op_id, std::initializer_list<std::string_view> shape,
                         const Database& database, SharedLayer shared)
    : rows_(database.rows(op_id, shared)),
      fields_(all_fields(*rows_, shape)),
      shape_fields_(shape.size()),
      index_(database.table_name(op_id), rows_, {fields_.part(kernel_source), fields_.part(phase_column)},
             [this](uint32_t row, TableKey& key) {
               key[kernel_place] = fields_(row, kernel_source);
               key[phase_place] = fields_(row, phase_column);
               for (size_t i = 0; i < shape_fields_; ++i)
                 key[shape_place + i] = fields_(row, first_shape + i);
               return true;
             }) {}

TableKey LinearTable::key_of(std::string_view kernel, SsmPhase phase, const Shape& shape) const {
  TableKey key{fields_.value_of(kernel_source, kernel).value_or(-1),
               fields_.value_of(phase_column, name_of(phase)).value_or(-1)};
  std::copy(shape.begin(), shape.end(), key.begin() + shape_place);
  return key;
}

PointList LinearTable::points(std::string_view kernel, SsmPhase phase, const Shape& shape) const {
  PointList points(*rows_);
  const TableIndex::Group* group = index_.find(key_of(kernel, phase, shape));
  if (group == nullptr) return points;
  for (const uint32_t row : group->rows)
    points.add(phase == SsmPhase::generation ? Coordinates{fields_(row, batch)}
                                             : Coordinates{fields_(row, batch), fields_(row, seq)},
               row);
  return points;
}

std::optional<LinearTable::Shape> LinearTable::nearest(std::string_view kernel, SsmPhase phase,
                                                       const Shape& shape) const {
  const TableKey wanted = key_of(kernel, phase, shape);
  const size_t last = shape_place + shape_fields_ - 1;
  std::optional<int64_t> best;
  const auto farness = [&](int64_t value) { return std::pair(std::abs(value - wanted[last]), value); };
  for (const TableIndex::Group& group : index_.groups())
    if (std::equal(wanted.begin(), wanted.begin() + std::ptrdiff_t(last), group.key.begin()) &&
        (!best || farness(group.key[last]) < farness(*best)))
      best = group.key[last];
  if (!best) return std::nullopt;
  Shape found = shape;
  found.back() = *best;
  return found;
}

std::optional<LinearTable::Shape> LinearTable::least(std::string_view kernel, SsmPhase phase,
                                                     int64_t first) const {
  const TableKey wanted = key_of(kernel, phase, {first});
  std::optional<Shape> best;
  for (const TableIndex::Group& group : index_.groups()) {
    if (!std::equal(wanted.begin(), wanted.begin() + shape_place + 1, group.key.begin())) continue;
    const auto begin = group.key.begin() + shape_place;
    const Shape shape(begin, begin + std::ptrdiff_t(shape_fields_));
    if (!best || shape < *best) best = shape;
  }
  return best;
}

std::optional<size_t> LinearTable::first_row(std::string_view kernel, SsmPhase phase) const {
  const TableKey wanted = key_of(kernel, phase, {});
  for (const TableIndex::Group& group : index_.groups())
    if (group.key[kernel_place] == wanted[kernel_place] && group.key[phase_place] == wanted[phase_place])
      return group.rows.front();
  return std::nullopt;
}

}  // namespace perfatlas::aic
