// SPDX-License-Identifier: Apache-2.0
// When to try again and when to stop trying.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

/// Whether a case with this outcome after `attempts` attempts (all runs together) is worth another one. A failure that
/// the worker survived is deterministic and final; `broke_protocol` tells a failure of the worker itself.
bool worth_retrying(const RetryPolicy& policy, Outcome outcome, bool broke_protocol, int attempts);

/// Stops an op whose cases fail too often (see RetryPolicy).
class CircuitBreaker {
 public:
  explicit CircuitBreaker(const RetryPolicy& policy) : policy_(policy) {}

  /// Counts one outcome. True when this one opens the breaker of the op.
  bool record(const OpType& op, Outcome outcome);
  bool is_open(const OpType& op) const;
  /// "gemm: 21 of the last 50 cases failed; ...". REQUIRES: is_open(op).
  std::string reason(const OpType& op) const;

 private:
  struct Window {
    std::deque<bool> failed;
    uint64_t cases = 0;
    uint64_t failures = 0;  // in the window
    bool open = false;
  };
  RetryPolicy policy_;
  std::map<const OpType*, Window> windows_;
};

}  // namespace perfatlas
