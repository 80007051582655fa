// SPDX-License-Identifier: Apache-2.0
// Many cases in little memory: per op and field a dictionary of the values that occur, per case one, two or four bytes
// per field that varies.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

/// The values of one field over all cases of an op, as codes into a dictionary.
class CodedColumn {
 public:
  void push_back(int64_t value);
  int64_t at(size_t row) const { return dictionary_[code(row)]; }
  uint32_t code(size_t row) const;
  const std::vector<int64_t>& dictionary() const { return dictionary_; }
  void shrink();

 private:
  void widen();

  std::vector<int64_t> dictionary_;
  std::unordered_map<int64_t, uint32_t> codes_;  // empty after shrink()
  std::vector<uint8_t> bytes_;                   // little-endian codes of width_ bytes
  uint8_t width_ = 0;                            // 0: one value only
  size_t rows_ = 0;
  std::pair<int64_t, uint32_t>
      last_{};  // value and code of the newest row: neighbours in a grid mostly share it
};

/// Cases numbered 0 .. size()-1, those of one op adjacent. Does not look for repeated ones.
class CaseStore {
 public:
  /// REQUIRES: cases of one op are added without another op between them; fewer than 2^32 in all.
  void add(const Case& c);
  /// No more cases will come: frees what only adding needs.
  void finish();

  size_t size() const { return size_; }
  Case at(uint32_t index) const;
  /// Equal to case_id(at(index)). REQUIRES: finish() was called.
  uint64_t id(uint32_t index) const;

  struct OpCases {
    const OpType* op = nullptr;
    uint32_t first = 0;
    uint32_t count = 0;
    std::vector<CodedColumn> columns;             // one per field
    std::vector<size_t> sorted_fields;            // field numbers in the order in which case_id sorts them
    std::vector<std::vector<std::string>> texts;  // per field and code: " column=text"
    std::string name;                             // "id/revision"
  };
  const std::vector<OpCases>& ops() const { return ops_; }

 private:
  const OpCases& owner(uint32_t index) const;

  std::vector<OpCases> ops_;
  size_t size_ = 0;
};

}  // namespace perfatlas
