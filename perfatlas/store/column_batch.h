// SPDX-License-Identifier: Apache-2.0
// A table by columns: what crosses the border to the Parquet plug-in. Header only and free of other perfatlas
// types, because both sides of the plug-in compile it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

/// One column. Exactly one of the value vectors is used, with one entry per row; entries of unknown rows are 0.
struct ColumnData {
  enum class Kind { integer, real, boolean, text };
  std::string name;
  Kind kind = Kind::text;
  std::vector<uint8_t> known;  // 1: has a value, 0: null
  std::vector<int64_t> integers;
  std::vector<double> reals;
  std::vector<uint8_t> booleans;
  std::vector<int32_t> codes;  // text: positions in `dictionary`
  std::vector<std::string> dictionary;
};

struct ColumnBatch {
  std::vector<ColumnData> columns;
  int64_t rows = 0;
  std::map<std::string, std::string> metadata;  // key-value metadata of the file
};

/// Parquet files as bytes. Both functions throw perfatlas::Error, its text without the file's name.
class ParquetCodec {
 public:
  virtual ~ParquetCodec() = default;
  /// All columns of a file in file order; integers widened to int64, floats to double, every kind of string to text.
  virtual ColumnBatch decode(std::string_view bytes) = 0;
  virtual std::string encode(const ColumnBatch& batch) = 0;
};

/// Raised when anything in this header changes; the plug-in answers null to another number.
inline constexpr int kParquetCodecAbi = 1;

/// The type of the plug-in's one symbol, "perfatlas_parquet_codec". The caller deletes the codec.
using ParquetCodecFactory = ParquetCodec* (*)(int abi);

}  // namespace perfatlas
