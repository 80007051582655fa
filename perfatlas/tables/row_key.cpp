// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "perfatlas/tables/row_key_impl.h"

namespace perfatlas {

RowKey RowKeys::Numbers::hash() const {
  return hash128({reinterpret_cast<const char*>(value.data()), count * sizeof(int64_t)});
}

RowKeys::RowKeys(const OpType& op) : op_(&op) {
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const FieldType& field = op.fields[i];
    if (field.role == Role::exact) (field.keyed ? keyed_ : plain_exact_).push_back(i);
    if (field.distinguishes) plain_.push_back(i);
  }
  for (const AxisType& axis : op.axes) {
    if (axis.field)
      plain_.push_back(*axis.field);
    else
      made_axes_.push_back(&axis);
  }
}

void RowKeys::add_slice(const FieldValues& values, Numbers& numbers) const {
  for (const size_t i : plain_exact_) numbers.add(values[i]);
  for (const size_t i : keyed_) numbers.add(op_->key_of(values, i));
}

void RowKeys::add_key(const FieldValues& values, Numbers& numbers) const {
  add_slice(values, numbers);
  for (const size_t i : plain_) numbers.add(values[i]);
  for (const AxisType* const axis : made_axes_) numbers.add(axis->get(values));
}

RowKey RowKeys::key(const FieldValues& values) const {
  Numbers numbers;
  add_key(values, numbers);
  return numbers.hash();
}

RowKey RowKeys::kernel_key(const FieldValues& values, int64_t kernel) const {
  Numbers numbers;
  add_key(values, numbers);
  numbers.add(kernel);
  return numbers.hash();
}

RowKey RowKeys::slice(const FieldValues& values) const {
  Numbers numbers;
  add_slice(values, numbers);
  return numbers.hash();
}

RowKeyMap::RowKeyMap(size_t expected) : slots_(std::bit_ceil(2 * expected + 16)) {
  entries_.reserve(expected);
}

size_t RowKeyMap::slot_of(const RowKey& key) const {
  const size_t mask = slots_.size() - 1;
  size_t place = size_t(key.low) & mask;
  for (; slots_[place].entry != 0; place = (place + 1) & mask)
    if (slots_[place].tag == uint32_t(key.high) && entries_[slots_[place].entry - 1].key == key) break;
  return place;
}

void RowKeyMap::grow() {
  std::vector<Slot>(2 * slots_.size()).swap(slots_);
  for (uint32_t i = 0; i < uint32_t(entries_.size()); ++i)
    slots_[slot_of(entries_[i].key)] = {uint32_t(entries_[i].key.high), i + 1};
}

uint32_t& RowKeyMap::add(const RowKey& key, uint32_t number, bool& is_new) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  Slot& slot = slots_[slot_of(key)];
  is_new = slot.entry == 0;
  if (is_new) {
    entries_.push_back({key, number});
    slot = {uint32_t(key.high), uint32_t(entries_.size())};
  }
  return entries_[slot.entry - 1].number;
}

}  // namespace perfatlas
