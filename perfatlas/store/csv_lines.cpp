// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/store/csv_lines_impl.h"

namespace perfatlas {
namespace {

/// Longer lines are not rows but damage or another kind of file; also bounds what an error has to look at.
constexpr size_t kMaxLineBytes = size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

CsvLines::CsvLines(std::string_view text, const std::string& where) : rest_(text), where_(where) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

bool CsvLines::next(std::string_view& line) {
  if (rest_.empty()) return false;
  ++number_;
  const size_t end = rest_.find('\n');
  if (std::min(end, rest_.size()) > kMaxLineBytes)
    refuse(fmt::format("the line is longer than {} KiB; this is not a table", kMaxLineBytes >> 10));
  if (end == rest_.npos) refuse("the line is torn: the file ends without a newline");
  line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty() && rest_.find_first_not_of("\r\n") == rest_.npos) {
    rest_ = {};
    return false;
  }
  if (std::any_of(line.begin(), line.end(), [](char c) { return is_control(c) && c != '\t'; }))
    refuse("the line has a control character; this is not a table");
  return true;
}

std::string CsvLines::here() const { return fmt::format("{}:{}", where_, number_); }

void CsvLines::refuse(const std::string& reason) const { throw Error(fmt::format("{}: {}", here(), reason)); }

std::string split_csv_line(std::string_view line, std::vector<std::string>& cells) {
  size_t count = 0, at = 0;
  while (true) {
    if (count == cells.size()) cells.emplace_back();
    std::string& cell = cells[count++];
    cell.clear();
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at == line.size()) return "a quote is left open";
        if (line[at] != '"') {
          cell += line[at];
        } else if (at + 1 < line.size() && line[at + 1] == '"') {
          cell += line[at++];
        } else {
          break;
        }
      }
      if (++at < line.size() && line[at] != ',') return "text follows a closing quote";
    } else {
      const size_t end = std::min(line.find(',', at), line.size());
      cell.assign(line.substr(at, end - at));
      if (cell.find('"') != cell.npos) return "a quote stands inside an unquoted cell";
      at = end;
    }
    if (at == line.size()) break;
    ++at;
  }
  cells.resize(count);
  return {};
}

}  // namespace perfatlas
