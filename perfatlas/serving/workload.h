// SPDX-License-Identifier: Apache-2.0
// What users ask of a serving system, and when.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace perfatlas {

/// Bounds of what can be simulated: tokens of a request; users, requests per user, and engines times ranks.
inline constexpr int64_t kMostTokens = 1'000'000'000, kMostAtOnce = 1'000'000;

/// Lengths drawn uniformly from the integers [max(1, floor(ratio * longest)), longest].
struct LengthRange {
  int64_t longest = 1;  // tokens
  double ratio = 1;     // 1: constant; 0.8 is what public serving benchmarks use

  int64_t shortest() const;
  double mean() const { return double(shortest() + longest) / 2; }
};

/// `users` users, who all send a request at time 0 and the next one whenever the last has ended.
struct ClosedLoop {
  int64_t users = 1;
  int64_t waves = 10;               // requests = waves * users, but at most max(20000, 3 * users)
  std::optional<int64_t> requests;  // instead of waves
};

/// Independent arrivals at a mean rate, whatever the system does.
struct PoissonArrivals {
  double requests_per_s = 1;
  int64_t requests = 10000;
};

/// One request of a recorded trace.
struct TracedRequest {
  double send_ms = 0;  // since the first request of the trace
  int64_t input_tokens = 1;
  int64_t output_tokens = 1;
};

/// A recorded trace, read once from front to back.
class TraceSource {
 public:
  virtual ~TraceSource() = default;
  /// The next request, in order of send_ms; nothing at the end. Throws Error naming the file and line of bad content.
  virtual std::optional<TracedRequest> next() = 0;
};

/// Lengths belong to closed loops and Poisson arrivals; a trace brings its own.
struct Workload {
  LengthRange input, output;
  std::variant<ClosedLoop, PoissonArrivals, std::shared_ptr<TraceSource>> arrivals;
  uint32_t seed = 1;  // of lengths and arrival times

  bool is_closed_loop() const { return std::holds_alternative<ClosedLoop>(arrivals); }
};

/// waves * users, but at most max(20000, 3 * users), so that thousands of users stay affordable.
int64_t request_count(const ClosedLoop& loop);

/// Throws UsageError naming a size that is not positive or beyond the bounds above, a ratio outside (0, 1], or a rate
/// outside [1e-6, 1e9].
void check_workload(const Workload& workload);

}  // namespace perfatlas
