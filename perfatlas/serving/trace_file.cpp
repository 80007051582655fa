// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/trace_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr std::array<std::string_view, 3> kFields{"timestamp", "input_length", "output_length"};
constexpr double kMostTimestampMs = 1e14;  // 3,000 years; beyond, doubles lose the hundredths

class TraceFile : public TraceSource {
 public:
  TraceFile(const std::string& path, std::optional<int64_t> most_tokens)
      : path_(path), file_(path), most_tokens_(most_tokens) {
    if (!file_) throw Error(io_error_text("read", path, errno));
    if (std::filesystem::is_directory(path)) throw Error(io_error_text("read", path, EISDIR));
    constexpr int kGzip = 0x1f, kByteOrderMark = 0xef;  // first bytes of such files
    if (file_.peek() == kGzip) throw Error(fmt::format("{} is compressed; unpack it first", path_));
    if (file_.peek() == kByteOrderMark) file_.ignore(3);
    is_csv_ = file_.peek() != '{';
    if (is_csv_) read_header();
    if (file_.peek() == std::ifstream::traits_type::eof())
      throw Error(fmt::format("{} has no requests", path_));
  }

  std::optional<TracedRequest> next() override {
    do {
      if (!std::getline(file_, line_)) {
        if (!first_ms_) throw Error(fmt::format("{} has no requests", path_));
        return std::nullopt;
      }
      ++number_;
    } while (trim(line_).empty());
    const std::array<double, 3> values = is_csv_ ? csv_values() : json_values();
    for (size_t i = 1; i < values.size(); ++i)
      if (!(values[i] >= 1 && values[i] <= double(kMostTokens)) || values[i] != std::floor(values[i]))
        complain(
            fmt::format("{} is {}; give a whole number from 1 to {}", kFields[i], values[i], kMostTokens));
    if (!(std::abs(values[0]) <= kMostTimestampMs))
      complain(fmt::format("timestamp {} is no time in milliseconds; give at most {:.0e}", values[0],
                           kMostTimestampMs));
    if (values[0] < last_ms_)
      complain(fmt::format("timestamp {} after {}; sort the trace by time", values[0], last_ms_));
    last_ms_ = values[0];
    if (!first_ms_) first_ms_ = values[0];
    const TracedRequest request{values[0] - *first_ms_, int64_t(values[1]), int64_t(values[2])};
    if (const int64_t needed = request.input_tokens + request.output_tokens;
        needed > most_tokens_.value_or(needed))
      complain(
          fmt::format("input_length {} and output_length {} are {} tokens, the engine takes {}; leave such "
                      "requests out, or give max_seq_len if it takes more",
                      request.input_tokens, request.output_tokens, needed, *most_tokens_));
    return request;
  }

 private:
  [[noreturn]] void complain(const std::string& what) const {
    throw Error(fmt::format("{}, line {}: {}", path_, number_, what));
  }

  void read_header() {
    std::getline(file_, line_);
    ++number_;
    const auto names = split(trim(line_), ',');
    for (size_t field = 0; field < kFields.size(); ++field) {
      column_[field] = names.size();
      for (size_t i = 0; i < names.size(); ++i)
        if (trim(names[i]) == kFields[field]) column_[field] = i;
      if (column_[field] == names.size())
        complain(fmt::format(
            "no column {}; a CSV trace starts with the names timestamp, input_length, output_length",
            kFields[field]));
    }
  }

  std::array<double, 3> csv_values() const {
    const auto cells = split(trim(line_), ',');
    std::array<double, 3> values{};
    for (size_t field = 0; field < kFields.size(); ++field) {
      const auto value =
          column_[field] < cells.size() ? parse_real(trim(cells[column_[field]])) : std::optional<double>();
      if (!value) complain(fmt::format("{} is missing or no number", kFields[field]));
      values[field] = *value;
    }
    return values;
  }

  std::array<double, 3> json_values() const {
    const auto json = nlohmann::json::parse(line_, nullptr, false);
    if (!json.is_object()) complain("not a JSON object");
    std::array<double, 3> values{};
    for (size_t field = 0; field < kFields.size(); ++field) {
      const auto found = json.find(kFields[field]);
      if (found == json.end() || !found->is_number())
        complain(fmt::format("{} is missing or no number", kFields[field]));
      values[field] = found->get<double>();
    }
    return values;
  }

  std::string path_, line_;
  std::ifstream file_;
  std::optional<int64_t> most_tokens_;
  bool is_csv_ = false;
  int64_t number_ = 0;
  std::optional<double> first_ms_;
  double last_ms_ = -std::numeric_limits<double>::infinity();
  std::array<size_t, 3> column_{};
};

}  // namespace

std::shared_ptr<TraceSource> open_trace(const std::string& path, std::optional<int64_t> most_tokens) {
  return std::make_shared<TraceFile>(path, most_tokens);
}

}  // namespace perfatlas
