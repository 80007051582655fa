// SPDX-License-Identifier: Apache-2.0
// The set of known ops, passed to whatever serves all of them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "perfatlas/schema/op_type.h"

namespace perfatlas {

class OpRegistry {
 public:
  /// Keeps `type`; its address stays valid as long as the registry. REQUIRES: its id is new.
  void add(OpType type);

  /// In the order of ops/CMakeLists.txt.
  const std::vector<std::unique_ptr<const OpType>>& ops() const { return ops_; }

  const OpType* find(std::string_view id) const;

  /// Throws UsageError that lists what is known and guesses at what was meant.
  const OpType& get(std::string_view id) const;

  /// "gemm gemm_dtype=bfloat16 m=1 ..." (see case_text). Throws Error.
  Case parse_case(std::string_view text) const;

 private:
  std::vector<std::unique_ptr<const OpType>> ops_;
};

}  // namespace perfatlas
