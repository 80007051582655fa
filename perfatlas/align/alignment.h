// SPDX-License-Identifier: Apache-2.0
// A profile beside the tables: what every op of a step took in the trace, and what the database answers for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/align/trace.h"
#include "perfatlas/db/answer.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

struct AlignedKernel {
  std::string name;
  size_t launches = 0;
  double total_us = 0;
};

/// All ranges of one name, which is the text of a case: "gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096".
struct AlignedOp {
  std::string name;
  Case what;
  size_t occurrences = 0;              // ranges in which a kernel was launched
  std::vector<AlignedKernel> kernels;  // longest first
  Answer answer;                       // a miss has its reason
  std::string problem;                 // why nothing was asked: the case makes no sense

  double trace_us() const;  // of one occurrence: its kernels, not the gaps between them
  /// What the table says over what the trace shows; empty on a miss.
  std::optional<double> ratio() const;
};

struct Alignment {
  std::vector<AlignedOp> ops;            // in the order of the trace
  std::vector<AlignedKernel> elsewhere;  // kernels outside of every op's range, longest first
  double kernel_us = 0;                  // of all kernels
  double op_us = 0;                      // of those in ranges of ops
  double answered_trace_us = 0;          // of those in ranges of ops that were answered ...
  double answered_table_us = 0;          // ... and the answers, as often as the ops occur
};

using AskDatabase = std::function<Answer(const Case&)>;

/// A range belongs to an op when its name is the text of a case; names of other ranges are looked through to the range
/// around them. Throws what `ask` throws.
Alignment align_trace(const Trace& trace, const OpRegistry& ops, const AskDatabase& ask);

/// For people, and as one JSON object.
std::string alignment_text(const Alignment& alignment);
std::string alignment_json(const Alignment& alignment);

}  // namespace perfatlas
