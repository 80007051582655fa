// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/packed_column.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

template <class Value, class From>
SharedBytes own(std::span<const From> values) {
  auto owned = std::make_shared<std::vector<Value>>(values.size());
  std::transform(values.begin(), values.end(), owned->begin(), [](From value) { return Value(value); });
  const void* const data = owned->data();
  return {data, values.size() * sizeof(Value), std::move(owned)};
}

int width_of(size_t distinct) {
  if (distinct <= 1) return 0;
  if (distinct <= size_t{std::numeric_limits<uint8_t>::max()} + 1) return 1;
  return distinct <= size_t{std::numeric_limits<uint16_t>::max()} + 1 ? 2 : 4;
}

}  // namespace

PackedColumn::PackedColumn(std::span<const int64_t> values) {
  std::unordered_map<int64_t, uint32_t> code_of;
  std::vector<uint32_t> codes;
  codes.reserve(values.size());
  for (const int64_t value : values) {
    // Sorted files repeat a value many times in a row.
    if (!codes.empty() && dictionary_[codes.back()] == value) {
      codes.push_back(codes.back());
      continue;
    }
    const auto [entry, is_new] = code_of.try_emplace(value, uint32_t(code_of.size()));
    if (is_new) dictionary_.push_back(value);
    codes.push_back(entry->second);
  }
  if (dictionary_.empty()) dictionary_.push_back(0);
  width_ = width_of(dictionary_.size());
  const std::span<const uint32_t> all(codes);
  if (width_ == 1) codes_ = own<uint8_t>(all);
  if (width_ == 2) codes_ = own<uint16_t>(all);
  if (width_ == 4) codes_ = own<uint32_t>(all);
}

PackedColumn::PackedColumn(std::vector<int64_t> dictionary, int width, SharedBytes codes)
    : dictionary_(std::move(dictionary)), width_(width), codes_(std::move(codes)) {
  PERFATLAS_ASSERT(!dictionary_.empty());
}

RealColumn::RealColumn(std::span<const double> values) {
  const bool floats =
      std::all_of(values.begin(), values.end(), [](double value) { return double(float(value)) == value; });
  width_ = floats ? sizeof(float) : sizeof(double);
  values_ = floats ? own<float>(values) : own<double>(values);
}

}  // namespace perfatlas
