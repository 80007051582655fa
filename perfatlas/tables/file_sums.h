// SPDX-License-Identifier: Apache-2.0
// What the files of an imported folder held when they were copied: published Parquet files carry no checksums of their
// own, so that a byte that changes on a disk would change a latency unnoticed.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "perfatlas/base/hash.h"

namespace perfatlas {

/// The file with the sums, at the top of an imported folder: a line "<XXH3-128 as 32 hex digits>  <path>" per file.
inline constexpr const char* kFileSumsName = "CHECKSUMS.txt";

class FileSums {
 public:
  /// Of the text of such a file; lines of another form name no file.
  static FileSums parse(std::string_view text);
  std::string text() const;

  /// What a file holds now.
  void set(const std::string& path, std::string_view content) { sums_[path] = hash128(content); }
  /// The content is that of set(), or the file is not listed.
  bool fits(std::string_view path, std::string_view content) const;

 private:
  std::map<std::string, Hash128, std::less<>> sums_;  // by path in the folder
};

}  // namespace perfatlas
