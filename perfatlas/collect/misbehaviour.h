// SPDX-License-Identifier: Apache-2.0
// What the fake worker does to which case.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

enum class Fault {
  segv,
  abort,
  exit,          // with code 3
  hang,          // never answers
  garbage,       // answers with a line that is no JSON
  half_line,     // writes half an answer and dies
  late,          // answers after the time given by --late-ms
  leak,          // keeps 8 MiB more memory with every such case
  lie,           // reports a millionth of the time
  wrong_id,      // answers a request that was not asked
  throttle,      // reports a throttled clock
  noise,         // samples scatter widely
  fail,          // answers "failed"
  skip,          // answers "skipped"
  zero,          // reports a latency of zero
  other_kernel,  // names another kernel in every answer
};

/// One rule of the command line, "FAULT:SELECTOR[:TIMES]": the selector is a substring of the case text, or a rate such
/// as "0.1" that picks cases by their hash and --seed; TIMES limits how often a case is hit over all worker processes
/// that share a --memory folder.
struct FaultRule {
  Fault fault = Fault::fail;
  std::string text;            // empty when chosen by rate
  std::optional<double> rate;  // share of all cases
  std::optional<int> times;
};

/// Throws Error.
FaultRule parse_fault_rule(std::string_view text);

/// REQUIRES: `case_hash` is the same for the same case in every process.
bool applies(const FaultRule& rule, std::string_view case_text, uint64_t case_hash);

}  // namespace perfatlas
