// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/packed_column.h"

#include <limits>
#include <unordered_map>

namespace perfatlas {
namespace {

template <class Code>
std::shared_ptr<const void> narrow(const std::vector<uint32_t>& codes, const void*& start) {
  auto narrowed = std::make_shared<std::vector<Code>>(codes.begin(), codes.end());
  start = narrowed->data();
  return narrowed;
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
  if (dictionary_.size() == 1) return;
  if (dictionary_.size() <= size_t{std::numeric_limits<uint8_t>::max()} + 1) {
    width_ = 1;
    storage_ = narrow<uint8_t>(codes, codes_);
  } else if (dictionary_.size() <= size_t{std::numeric_limits<uint16_t>::max()} + 1) {
    width_ = 2;
    storage_ = narrow<uint16_t>(codes, codes_);
  } else {
    width_ = 4;
    storage_ = narrow<uint32_t>(codes, codes_);
  }
}

}  // namespace perfatlas
