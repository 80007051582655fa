// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/collect/validate.h"
#include "perfatlas/collect/validate_input.h"

namespace perfatlas {

/// Collects the findings of one check.
class FindingBuilder {
 public:
  FindingBuilder(std::string check, size_t most_examples) : most_examples_(most_examples) {
    finding_.check = std::move(check);
  }
  void add(std::string example) {
    if (finding_.count++ < most_examples_) finding_.examples.push_back(std::move(example));
  }
  uint64_t count() const { return finding_.count; }
  /// Puts the finding into the report, when there is anything to say.
  void finish(std::string summary, bool fails, ValidateReport& report) {
    if (finding_.count == 0) return;
    finding_.summary = std::move(summary);
    finding_.fails = fails;
    report.findings.push_back(std::move(finding_));
  }

 private:
  Finding finding_;
  size_t most_examples_;
};

/// "gemm m=8 ... [jit, serving]: 0.25 ms".
std::string row_text(const Row& row);
std::string row_text(const CheckedRows& rows, size_t i);

/// Drops and spikes along each axis, all else equal.
void check_curves(const std::vector<CheckedRows>& rows, const ValidateLimits& limits, ValidateReport& report);

/// Positive latencies, efficiency, noise, throttling.
void check_rows(const std::vector<CheckedRows>& rows, const ValidateRequest& request, ValidateReport& report);

/// Planned against decided cases, sub-kernels, failures, how the runs ended.
void check_counts(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report);

/// A seeded sample measured again, and the collections' own re-runs.
void check_reruns(const ValidateInput& input, const ValidateRequest& request, ValidateReport& report);

/// How much latency varies at equal batch * sequence.
void add_token_spread(const std::vector<CheckedRows>& rows, ValidateReport& report);

/// The leave-one-out figures.
void add_leave_one_out(const std::vector<CheckedRows>& rows, const ValidateRequest& request,
                       ValidateReport& report);

}  // namespace perfatlas
