// SPDX-License-Identifier: Apache-2.0
// collect() from the command line for tests that kill the supervisor and for the overhead benchmark:
//   collect_driver FOLDER CASES [OPTION VALUE]... -- WORKER ARGUMENTS...
// The plan is the first CASES of the published gemm grid. Prints one line of JSON at the end.
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <ctime>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/collect/toy_grid_test.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

struct DriverOptions {
  PlanRequest plan;
  CollectOptions collect;
  bool dry = false;     // plan only
  int toy_batches = 0;  // above 0: a toy grid of 20,000 cases times this instead of gemm
};

void set_option(DriverOptions& o, std::string_view flag, std::string_view value) {
  const auto number = [&] { return parse_real(value).value(); };
  if (flag == "--budget")
    o.collect.budget_s = number();
  else if (flag == "--backend")
    o.collect.backend = value;
  else if (flag == "--crash-retries")
    o.collect.retry.crash_retries = int(number());
  else if (flag == "--breaker-share")
    o.collect.retry.breaker_share = number();
  else if (flag == "--deadline")
    o.collect.case_deadline_s = number();
  else if (flag == "--drift-cases")
    o.collect.drift.max_cases = uint64_t(number());
  else if (flag == "--tables-every")
    o.collect.tables_every_s = number();
  else if (flag == "--file-limit") {
    const rlimit limit{rlim_t(number()), rlim_t(number())};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  } else if (flag == "--sm")
    o.plan.aic.sm_version = int(number());
  else if (flag == "--devices") {
    o.collect.devices.clear();
    for (const std::string_view device : split(value, ',')) o.collect.devices.emplace_back(device);
  } else if (flag == "--shard")
    o.plan.shard = parse_shard(value);
  else if (flag == "--kind")
    o.plan.kind = from_name<PlanKind>(value).value();
  else if (flag == "--share")
    o.plan.small.shares = {{"gemm", number()}};
  else if (flag == "--filter")
    o.plan.case_filters = {std::string(value)};
  else if (flag == "--done-in")
    o.collect.done_in = {std::string(value)};
  else if (flag == "--target")
    o.collect.small.target_p90 = number();
  else if (flag == "--toy-batches")
    o.toy_batches = int(number());
  else if (flag == "--dry")
    o.dry = value == "yes";
  else
    throw UsageError(fmt::format("unknown option {}", flag));
}

DriverOptions parse(const std::vector<std::string>& words) {
  DriverOptions o;
  o.plan = {.ops = {"gemm"}, .grid = GridKind::aic};
  o.collect.backend = "fake";
  o.collect.retry.respawns_in_a_row = 1000;
  o.collect.folder = words.at(0);
  o.plan.limit_per_op = uint64_t(parse_integer(words.at(1)).value());
  size_t i = 2;
  for (; i + 1 < words.size() && words[i] != "--"; i += 2) set_option(o, words[i], words[i + 1]);
  for (++i; i < words.size(); ++i) o.collect.worker_command.push_back(words[i]);
  return o;
}

/// The time from one finished case to the next.
class Stopwatch : public CollectObserver {
 public:
  void on_case(const CaseRecord&) override {
    const auto now = std::chrono::steady_clock::now();
    intervals_ms_.push_back(std::chrono::duration<float, std::milli>(now - last_).count());
    last_ = now;
  }
  double median_ms() {
    if (intervals_ms_.empty()) return 0;
    const auto middle = intervals_ms_.begin() + long(intervals_ms_.size() / 2);
    std::nth_element(intervals_ms_.begin(), middle, intervals_ms_.end());
    return *middle;
  }

 private:
  std::vector<float> intervals_ms_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

double peak_rss_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return double(usage.ru_maxrss) / 1024;
}

int run(const std::vector<std::string>& words) {
  const DriverOptions o = parse(words);
  const OpRegistry ops = o.toy_batches > 0 ? toy_registry() : all_ops();
  const std::clock_t start = std::clock();
  PlanRequest request = o.plan;
  if (o.toy_batches > 0) {
    request.ops.clear();
    request.aic.sm_version = o.toy_batches;
  }
  const Plan plan = make_plan(ops, request);
  nlohmann::ordered_json j{{"planned", plan.size()},
                           {"plan_cpu_s", double(std::clock() - start) / CLOCKS_PER_SEC},
                           {"plan_peak_rss_mb", peak_rss_mb()}};
  int exit_code = 0;
  if (!o.dry) {
    Stopwatch observer;
    const CollectSummary s = collect(plan, ops, o.collect, observer);
    j.update({{"end", name_of(s.end)},
              {"done_before", s.already_done},
              {"measured", s.this_run.measured},
              {"failures", s.this_run.failures()},
              {"respawns", s.respawns},
              {"damaged_lines", s.damaged.size()},
              {"elapsed_s", s.elapsed_s},
              {"median_case_ms", observer.median_ms()},
              {"waiting_for_worker_s", s.measured_s},
              {"peak_rss_mb", peak_rss_mb()}});
    exit_code = s.exit_code();
  }
  fmt::print("{}\n", j.dump());
  return exit_code;
}

}  // namespace
}  // namespace perfatlas

int main(int count, char** words) {
  try {
    return perfatlas::run({words + 1, words + count});
  } catch (const perfatlas::UsageError& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
