// SPDX-License-Identifier: Apache-2.0
// What the main functions of the benchmarks share: their arguments, and what happens when something is wrong.
#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {

class BenchArguments {
 public:
  /// `usage`: one line, "atlas_bench SOURCE [SYSTEM]".
  BenchArguments(std::string usage, int argc, char** argv)
      : usage_(std::move(usage)), words_(argv + 1, argv + argc) {}

  size_t size() const { return words_.size(); }
  /// Throws UsageError when there are fewer.
  const std::string& text(size_t i) const {
    if (i >= words_.size()) refuse();
    return words_[i];
  }
  std::string text(size_t i, const char* otherwise) const {
    return i < words_.size() ? words_[i] : otherwise;
  }
  /// At least 1. Throws UsageError.
  int64_t number(size_t i) const {
    const auto value = parse_integer(text(i));
    if (!value || *value < 1) throw UsageError(fmt::format("'{}' is no number of at least 1", text(i)));
    return *value;
  }
  [[noreturn]] void refuse() const { throw UsageError("usage: " + usage_); }

 private:
  std::string usage_;
  std::vector<std::string> words_;
};

/// The main function of a benchmark: an error is one line on standard error; exit codes as those of perfatlas.
inline int bench_main(const BenchArguments& arguments, void (*run)(const BenchArguments&)) {
  const auto complain = [](const std::exception& error, int code) {
    fmt::print(stderr, "{}\n", error.what());
    return code;
  };
  try {
    run(arguments);
    return 0;
  } catch (const UsageError& error) {
    return complain(error, 2);
  } catch (const std::exception& error) {
    return complain(error, 1);
  }
}

}  // namespace perfatlas
