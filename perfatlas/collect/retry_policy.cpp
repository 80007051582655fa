// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/retry_policy.h"

#include <fmt/format.h>

namespace perfatlas {

bool worth_retrying(const RetryPolicy& policy, Outcome outcome, bool broke_protocol, int attempts) {
  if (outcome == Outcome::timed_out) return attempts <= policy.timeout_retries;
  if (outcome == Outcome::crashed || broke_protocol) return attempts <= policy.crash_retries;
  return false;
}

bool CircuitBreaker::record(const OpType& op, Outcome outcome) {
  const bool failed = is_failure(outcome);
  Window& window = windows_[&op];
  ++window.cases;
  window.failed.push_back(failed);
  window.failures += failed;
  if (window.failed.size() > size_t(policy_.breaker_window)) {
    window.failures -= window.failed.front();
    window.failed.pop_front();
  }
  const bool too_many = window.cases >= uint64_t(policy_.breaker_min_cases) &&
                        double(window.failures) > policy_.breaker_share * double(window.failed.size());
  if (window.open || !too_many) return false;
  return window.open = true;
}

bool CircuitBreaker::is_open(const OpType& op) const {
  const auto found = windows_.find(&op);
  return found != windows_.end() && found->second.open;
}

std::string CircuitBreaker::reason(const OpType& op) const {
  const Window& window = windows_.at(&op);
  return fmt::format("{}: {} of the last {} cases failed; look at the failures, then run again", op.info.id,
                     window.failures, window.failed.size());
}

}  // namespace perfatlas
