// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace perfatlas {

void Metrics::answered(std::string_view path, int status, double seconds) {
  const auto found = std::find(kEndpoints.begin(), kEndpoints.end() - 1, path);
  Endpoint& endpoint = endpoints_[size_t(found - kEndpoints.begin())];
  ++endpoint.by_class[status < 400 ? 0 : status < 500 ? 1 : 2];
  const auto bucket = std::lower_bound(kBucketsS.begin(), kBucketsS.end(), seconds);
  ++endpoint.durations[size_t(bucket - kBucketsS.begin())];
  endpoint.nanoseconds += int64_t(seconds * 1e9);
}

std::string Metrics::text() const {
  constexpr std::array<std::string_view, 3> kClasses{"2xx", "4xx", "5xx"};
  std::string out =
      "# HELP perfatlas_requests_total Answered requests.\n# TYPE perfatlas_requests_total counter\n";
  for (size_t i = 0; i < kEndpoints.size(); ++i)
    for (size_t c = 0; c < kClasses.size(); ++c)
      out += fmt::format("perfatlas_requests_total{{path=\"{}\",status=\"{}\"}} {}\n", kEndpoints[i],
                         kClasses[c], endpoints_[i].by_class[c].load());
  out +=
      "# HELP perfatlas_request_seconds Time from a whole request to its answer.\n"
      "# TYPE perfatlas_request_seconds histogram\n";
  for (size_t i = 0; i < kEndpoints.size(); ++i) {
    int64_t count = 0;
    for (size_t b = 0; b <= kBucketsS.size(); ++b) {
      count += endpoints_[i].durations[b].load();
      const std::string bound = b < kBucketsS.size() ? fmt::format("{}", kBucketsS[b]) : "+Inf";
      out += fmt::format("perfatlas_request_seconds_bucket{{path=\"{}\",le=\"{}\"}} {}\n", kEndpoints[i],
                         bound, count);
    }
    out += fmt::format(
        "perfatlas_request_seconds_sum{{path=\"{0}\"}} {1}\nperfatlas_request_seconds_count{{path=\"{0}\"}} "
        "{2}\n",
        kEndpoints[i], double(endpoints_[i].nanoseconds.load()) / 1e9, count);
  }
  out += fmt::format(
      "# HELP perfatlas_steps_total Step durations predicted.\n# TYPE perfatlas_steps_total counter\n"
      "perfatlas_steps_total {}\n# HELP perfatlas_in_flight Requests being worked on.\n"
      "# TYPE perfatlas_in_flight gauge\nperfatlas_in_flight {}\n",
      steps_.load(), in_flight_.load());
  return out;
}

}  // namespace perfatlas
