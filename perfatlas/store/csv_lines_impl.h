// SPDX-License-Identifier: Apache-2.0
// The lines and cells of CSV files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

/// The lines of a text one by one, with the checks that hold for every line.
class CsvLines {
 public:
  /// `where` stands for the file in errors. Skips a byte order mark.
  CsvLines(std::string_view text, const std::string& where);
  /// The next line without its end; false behind the last one, after which only empty lines may follow. Throws Error on
  /// lines over 64 KiB, a line without its newline (torn) and control characters.
  bool next(std::string_view& line);
  /// "FILE:LINE" of the line read last.
  std::string here() const;
  [[noreturn]] void refuse(const std::string& reason) const;

 private:
  std::string_view rest_;
  const std::string& where_;
  size_t number_ = 0;
};

/// The cells of one line into `cells`, keeping their storage. Returns what is wrong with the line, or nothing.
std::string split_csv_line(std::string_view line, std::vector<std::string>& cells);

}  // namespace perfatlas
