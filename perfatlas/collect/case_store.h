// SPDX-License-Identifier: Apache-2.0
// Many cases in little memory: per op and field a dictionary of the values that occur, per case one, two or four bytes
// per field that varies.
#pragma once

#include <cstdint>
#include <cstring>
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
  uint32_t code(size_t row) const {
    // Lengths known to the compiler: a plan of ten million cases reads codes a billion times.
    switch (width_) {
      case 0:
        return 0;
      case 1:
        return bytes_[row];
      case 2:
        return read<uint16_t>(row);
      default:
        return read<uint32_t>(row);
    }
  }
  const std::vector<int64_t>& dictionary() const { return dictionary_; }
  void shrink();

 private:
  void widen();
  template <class Code>
  Code read(size_t row) const {
    Code code = 0;
    std::memcpy(&code, &bytes_[row * sizeof code], sizeof code);
    return code;
  }

  std::vector<int64_t> dictionary_;
  std::unordered_map<int64_t, uint32_t> codes_;  // empty after shrink()
  std::vector<uint8_t> bytes_;                   // little-endian codes of width_ bytes
  uint8_t width_ = 0;                            // 0: one value only
  size_t rows_ = 0;
  std::pair<int64_t, uint32_t>
      last_{};  // value and code of the newest row: neighbours in a grid mostly share it
};

/// The texts " column=value" of one field, by code, made to be copied fast into the text that case_id hashes.
class CodedTexts {
 public:
  CodedTexts() = default;
  CodedTexts(const FieldType& field, const std::vector<int64_t>& dictionary);

  /// Bytes that append() may write.
  size_t longest() const { return stride_; }
  /// Writes the text of a code; returns where the next one starts. Bytes up to longest() may be overwritten.
  char* append(uint32_t code, char* to) const;

 private:
  // Texts are copied in pieces of this length, which the compiler makes two instructions of.
  static constexpr size_t kPiece = 16;

  std::string bytes_;  // `stride_` bytes for each
  std::vector<uint32_t> lengths_;
  size_t stride_ = 0;  // a multiple of kPiece
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
    std::vector<CodedColumn> columns;   // one per field
    std::vector<size_t> sorted_fields;  // field numbers in the order in which case_id sorts them
    std::vector<CodedTexts> texts;      // in that order
    size_t id_bytes = 0;                // room that the text of an id may need
    std::string name;                   // "id/revision"
  };
  const std::vector<OpCases>& ops() const { return ops_; }

 private:
  const OpCases& owner(uint32_t index) const;

  std::vector<OpCases> ops_;
  size_t size_ = 0;
};

}  // namespace perfatlas
