// SPDX-License-Identifier: Apache-2.0
// How a row's key reads as a question to the engine. Every op that the engine knows says it in its own folder, in
// ops/<op>/<op>_aic_case.cpp:
//
//   void add_<op>_case_mappings(CaseMappings& all);
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas::aic {

/// How a case says where in serving it is.
enum class CasePlace {
  tokens,      // of a step: num_tokens, m, or the elements of a message at one element a token
  context,     // batch_size, isl, step tokens before them
  generation,  // batch_size; sequences of isl + step
  images,      // batch_size, isl; nothing before them
  kernel,      // phase, batch_size, seq_len
};

/// Of one declared op. Texts live as long as the program.
struct CaseMapping {
  std::string_view op_id;
  std::string_view name;  // of the engine's op, see op_names()
  CasePlace place = CasePlace::tokens;
  std::string_view tokens = {};   // CasePlace::tokens: the column
  std::string_view fields = {};   // columns, "column>field" where the engine's op calls it otherwise
  std::string_view fixed = "{}";  // more fields, as JSON
  /// Fields that follow from others; null: none.
  void (*amend)(const Case& asked, nlohmann::json& fields) = nullptr;
};

using CaseMappings = std::vector<CaseMapping>;

/// The mappings of every op of ops/CMakeLists.txt that has some, in that order.
CaseMappings all_case_mappings();

/// The value of a column. REQUIRES: the op has it, and it holds integers.
inline int64_t integer_of(const Case& asked, std::string_view column) {
  return asked.values[*asked.op->find_field(column)];
}

}  // namespace perfatlas::aic
