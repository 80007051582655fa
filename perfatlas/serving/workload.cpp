// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostRequests = 20000;
constexpr int64_t kLeastWaves = 3;
constexpr double kLeastRate = 1e-6, kMostRate = 1e9;

void require(bool good, const std::string& what) {
  if (!good) throw UsageError(what);
}

void check_lengths(const LengthRange& lengths, std::string_view name) {
  require(lengths.longest >= 1,
          fmt::format("{} is {}; a request has at least one {} token", name, lengths.longest, name));
  require(lengths.longest <= kMostTokens,
          fmt::format("{} is {}; a request has at most {} tokens", name, lengths.longest, kMostTokens));
  require(lengths.ratio > 0 && lengths.ratio <= 1,
          fmt::format("the {} length ratio is {}; give shortest / longest, above 0 and at most 1", name,
                      lengths.ratio));
}

}  // namespace

int64_t LengthRange::shortest() const {
  return std::max<int64_t>(1, int64_t(std::floor(ratio * double(longest))));
}

int64_t request_count(const ClosedLoop& loop) {
  if (loop.requests) return *loop.requests;
  return std::min(loop.waves * loop.users, std::max(kMostRequests, kLeastWaves * loop.users));
}

void check_workload(const Workload& workload) {
  if (const auto* loop = std::get_if<ClosedLoop>(&workload.arrivals)) {
    require(loop->users >= 1, fmt::format("{} users send nothing; give at least one", loop->users));
    require(loop->users <= kMostAtOnce,
            fmt::format("{} users are too many; give at most {}", loop->users, kMostAtOnce));
    require(loop->waves >= 1, fmt::format("{} waves are no run; give at least one", loop->waves));
    require(loop->waves <= kMostAtOnce,
            fmt::format("{} waves are too many; give at most {}", loop->waves, kMostAtOnce));
    require(!loop->requests || *loop->requests >= 1, "a run has at least one request");
  } else if (const auto* poisson = std::get_if<PoissonArrivals>(&workload.arrivals)) {
    require(poisson->requests_per_s >= kLeastRate && poisson->requests_per_s <= kMostRate,
            fmt::format("the arrival rate is {}; give requests per second from {} to {}",
                        poisson->requests_per_s, kLeastRate, kMostRate));
    require(poisson->requests >= 1, "a run has at least one request");
  } else {
    return;
  }
  check_lengths(workload.input, "input");
  check_lengths(workload.output, "output");
}

}  // namespace perfatlas
