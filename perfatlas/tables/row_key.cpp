// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {

RowKey RowKeys::Numbers::hash() const {
  const std::string_view bytes(reinterpret_cast<const char*>(value.data()), count * sizeof(int64_t));
  return hash128(bytes);
}

RowKeys::RowKeys(const OpType& op) : op_(&op) {
  for (size_t i = 0; i < op.fields.size(); ++i) {
    if (op.fields[i].role == Role::exact) exact_.push_back(i);
    if (op.fields[i].distinguishes) distinguishing_.push_back(i);
  }
}

FieldValues RowKeys::values(const FileTable& file, size_t row) const {
  FieldValues values{};
  for (size_t i = 0; i < op_->fields.size(); ++i) values[i] = file.value(row, i);
  return values;
}

void RowKeys::add_slice(const FieldValues& values, int64_t kernel, Numbers& numbers) const {
  for (const size_t i : exact_) numbers.add(op_->key_of(values, i));
  numbers.add(op_->layout.merge.by_kernel ? kernel : 0);
}

RowKey RowKeys::key(const FieldValues& values, int64_t kernel) const {
  Numbers numbers;
  add_slice(values, kernel, numbers);
  for (const AxisType& axis : op_->axes) numbers.add(axis.get(values));
  for (const size_t i : distinguishing_) numbers.add(values[i]);
  return numbers.hash();
}

RowKey RowKeys::slice(const FieldValues& values, int64_t kernel) const {
  Numbers numbers;
  add_slice(values, kernel, numbers);
  return numbers.hash();
}

}  // namespace perfatlas
