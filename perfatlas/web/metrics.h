// SPDX-License-Identifier: Apache-2.0
// Counters of a running service, in the text format of Prometheus.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace perfatlas {

/// Thread-safe, lock-free.
class Metrics {
 public:
  static constexpr std::array<std::string_view, 5> kEndpoints{"/v1/step", "/v1/estimate", "/v1/simulate",
                                                              "/v1/query", "other"};
  static constexpr std::array<double, 8> kBucketsS{1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 0.1, 1, 10};

  /// One answered request. Paths that are none of kEndpoints count as "other".
  void answered(std::string_view path, int status, double seconds);
  void predicted_steps(int64_t steps) { steps_ += steps; }
  /// Requests being worked on; the new number.
  int64_t enter() { return ++in_flight_; }
  void leave() { --in_flight_; }

  std::string text() const;

 private:
  struct Endpoint {
    std::array<std::atomic<int64_t>, 3> by_class{};                      // 2xx, 4xx, 5xx
    std::array<std::atomic<int64_t>, kBucketsS.size() + 1> durations{};  // the last one: longer
    std::atomic<int64_t> nanoseconds{0};
  };
  std::array<Endpoint, kEndpoints.size()> endpoints_;
  std::atomic<int64_t> steps_{0}, in_flight_{0};
};

}  // namespace perfatlas
