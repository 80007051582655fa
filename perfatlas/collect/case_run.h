// SPDX-License-Identifier: Apache-2.0
// Measuring one case: which request comes next, and what the answers amount to. Knows no process and no clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/collect/supervisor.h"
#include "perfatlas/hw/sol.h"
#include "perfatlas/worker/messages.h"

namespace perfatlas {

/// What all cases of a run on one device share.
struct MeasureContext {
  MeasureOptions options;
  std::string backend, backend_version, device_name, run_id;
  std::optional<SystemSpec> system;
};

/// The time one request may take: at least 30 s and three times its measuring time, and enough for all launches at a
/// hundredth of the speed of light - when that is unknown, at 100 GFLOP/s and 5 GB/s. Generous on purpose: a deadline
/// is for hangs, the stopping rule is for slow cases.
double default_deadline_s(const MeasureOptions& options, const std::optional<SpeedOfLight>& sol,
                          const Work& work);

class CaseRun {
 public:
  /// REQUIRES: `context` outlives this.
  CaseRun(const MeasureContext& context, const Case& c);

  const Case& c() const { return case_; }
  /// default_deadline_s() of this case.
  double deadline_s() const { return default_deadline_s(context_.options, sol_, work_); }

  /// The request to send now.
  SampleRequest request() const;

  enum class Next {
    ask,    // send request()
    pause,  // the device throttles: wait a little, then send request()
    done,   // record() is complete
  };
  /// `wall_s`: seconds since the first request was sent.
  Next take(const SampleAnswer& answer, double wall_s);

  /// Outcome measured with its row, or failed when the answers made no sense. Everything about the attempt itself
  /// (attempts, dates, repro line) is left to the caller. REQUIRES: take() returned done.
  CaseRecord record() const;
  /// REQUIRES: record() is measured.
  double median_ms() const { return median_ms_; }

 private:
  Next fail(std::string reason);
  Next retry_throttled(const SampleAnswer& answer);
  Next conclude(StopReason reason);
  std::string problem_of(const SampleAnswer& answer) const;
  bool faster_than_light() const;
  double elapsed_s(double wall_s) const;
  Row row() const;

  const MeasureContext& context_;
  Case case_;
  Work work_;
  std::optional<SpeedOfLight> sol_;
  double light_limit_ = 0;  // efficiency above which a result is impossible

  std::vector<double> samples_ms_, discarded_ms_;
  std::vector<std::vector<double>> rank_ms_;  // of samples_ms_
  std::optional<SampleAnswer> last_;          // without its samples
  std::optional<double> first_answer_s_;
  double first_busy_s_ = 0;  // measuring time inside the first answer
  double last_elapsed_s_ = 0;
  int throttle_retries_ = 0, impossible_retries_ = 0;
  bool throttled_ = false, suspect_ = false;
  size_t last_count_ = 0;
  StopReason stop_ = StopReason::quiet;
  double median_ms_ = 0;
  std::string failure_;
};

}  // namespace perfatlas
