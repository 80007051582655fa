// SPDX-License-Identifier: Apache-2.0
// What the readers of foreign files are fed with when they are fuzzed. Whatever the bytes, a target returns; anything
// that leaves a reader but perfatlas::Error ends the process.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

struct FuzzTarget {
  std::string_view name;  // csv, parquet, yaml: also the folder of its corpus
  void (*run)(const std::string& bytes);
};

const std::vector<FuzzTarget>& fuzz_targets();

}  // namespace perfatlas
