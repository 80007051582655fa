// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/case_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"

namespace perfatlas {

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

CodedTexts::CodedTexts(const FieldType& field, const std::vector<int64_t>& dictionary) {
  std::vector<std::string> texts;
  for (const int64_t value : dictionary)
    texts.push_back(fmt::format(" {}={}", field.column, field.format(value)));
  for (const std::string& text : texts)
    stride_ = std::max(stride_, (text.size() + kPiece - 1) / kPiece * kPiece);
  bytes_.assign(texts.size() * stride_, ' ');
  for (size_t i = 0; i < texts.size(); ++i) {
    texts[i].copy(&bytes_[i * stride_], texts[i].size());
    lengths_.push_back(uint32_t(texts[i].size()));
  }
}

char* CodedTexts::append(uint32_t code, char* to) const {
  const char* const from = bytes_.data() + code * stride_;
  for (size_t done = 0; done < lengths_[code]; done += kPiece) std::memcpy(to + done, from + done, kPiece);
  return to + lengths_[code];
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
    for (CodedColumn& column : own.columns) column.shrink();
    // By column name and "=": what follows never decides, since names differ.
    const auto sorted_by = [&](size_t f) { return fmt::format("{}=", own.op->fields[f].column); };
    own.sorted_fields.resize(own.columns.size());
    std::iota(own.sorted_fields.begin(), own.sorted_fields.end(), size_t{0});
    std::sort(own.sorted_fields.begin(), own.sorted_fields.end(),
              [&](size_t a, size_t b) { return sorted_by(a) < sorted_by(b); });
    own.id_bytes = own.name.size();
    for (const size_t f : own.sorted_fields) {
      own.texts.emplace_back(own.op->fields[f], own.columns[f].dictionary());
      own.id_bytes += own.texts.back().longest();
    }
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
  std::array<char, 1024> usual_room;
  std::string more_room;
  if (own.id_bytes > usual_room.size()) more_room.resize(own.id_bytes);
  char* const text = more_room.empty() ? usual_room.data() : more_room.data();
  char* end = text + own.name.copy(text, own.name.size());
  for (size_t i = 0; i < own.sorted_fields.size(); ++i)
    end = own.texts[i].append(own.columns[own.sorted_fields[i]].code(index - own.first), end);
  return hash64({text, size_t(end - text)});
}

}  // namespace perfatlas
