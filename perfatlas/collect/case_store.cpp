// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/case_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"

namespace perfatlas {

uint32_t CodedColumn::code(size_t row) const {
  uint32_t code = 0;
  if (width_ > 0) std::memcpy(&code, &bytes_[row * width_], width_);  // little-endian
  return code;
}

void CodedColumn::widen() {
  const uint8_t width = width_ == 0 ? 1 : uint8_t(width_ * 2);
  std::vector<uint8_t> wider;
  wider.reserve((rows_ + rows_ / 8 + 64) * width);
  wider.resize(rows_ * width);
  for (size_t row = 0; row < rows_; ++row) {
    const uint32_t old = code(row);
    std::memcpy(&wider[row * width], &old, width);
  }
  bytes_ = std::move(wider);
  width_ = width;
}

void CodedColumn::push_back(int64_t value) {
  if (rows_ == 0 || value != last_.first) {
    const auto [entry, is_new] = codes_.try_emplace(value, uint32_t(dictionary_.size()));
    last_ = *entry;
    if (is_new) {
      dictionary_.push_back(value);
      const size_t largest = dictionary_.size() - 1;
      while (width_ < 4 && largest >> (8 * width_) != 0) widen();
    }
  }
  ++rows_;
  if (width_ == 0) return;
  bytes_.resize(rows_ * width_);
  std::memcpy(&bytes_[(rows_ - 1) * width_], &last_.second, width_);
}

void CodedColumn::shrink() {
  codes_ = {};
  bytes_.shrink_to_fit();
}

void CaseStore::add(const Case& c) {
  if (ops_.empty() || ops_.back().op != c.op) {
    PERFATLAS_ASSERT(std::none_of(ops_.begin(), ops_.end(), [&](const OpCases& o) { return o.op == c.op; }));
    ops_.push_back(
        {.op = c.op, .first = uint32_t(size_), .columns = std::vector<CodedColumn>(c.op->fields.size())});
  }
  OpCases& own = ops_.back();
  for (size_t f = 0; f < own.columns.size(); ++f) own.columns[f].push_back(c.values[f]);
  ++own.count;
  ++size_;
}

void CaseStore::finish() {
  for (OpCases& own : ops_) {
    own.name = fmt::format("{}/{}", own.op->info.id, own.op->info.revision);
    own.texts.resize(own.columns.size());
    for (size_t f = 0; f < own.columns.size(); ++f) {
      own.columns[f].shrink();
      const FieldType& field = own.op->fields[f];
      for (const int64_t value : own.columns[f].dictionary())
        own.texts[f].push_back(fmt::format(" {}={}", field.column, field.format(value)));
    }
    // Column names differ, so the order of two "column=text" pairs never depends on the texts.
    own.sorted_fields.resize(own.columns.size());
    std::iota(own.sorted_fields.begin(), own.sorted_fields.end(), size_t{0});
    std::sort(own.sorted_fields.begin(), own.sorted_fields.end(),
              [&](size_t a, size_t b) { return own.texts[a].front() < own.texts[b].front(); });
  }
}

const CaseStore::OpCases& CaseStore::owner(uint32_t index) const {
  PERFATLAS_ASSERT(index < size_);
  const auto after = std::upper_bound(ops_.begin(), ops_.end(), index,
                                      [](uint32_t i, const OpCases& own) { return i < own.first; });
  return *(after - 1);
}

Case CaseStore::at(uint32_t index) const {
  const OpCases& own = owner(index);
  Case c{own.op, {}};
  for (size_t f = 0; f < own.columns.size(); ++f) c.values[f] = own.columns[f].at(index - own.first);
  return c;
}

uint64_t CaseStore::id(uint32_t index) const {
  const OpCases& own = owner(index);
  std::string text;
  text.reserve(256);
  text += own.name;
  for (const size_t f : own.sorted_fields) text += own.texts[f][own.columns[f].code(index - own.first)];
  return hash64(text);
}

}  // namespace perfatlas
