// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/case_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/text.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr double kLeastDeadline_s = 30;
constexpr double kSlowest = 100;  // times the speed of light; a naive loop is about that far off
constexpr double kSlowFlops = 1e11, kSlowBandwidth = 5e9;  // of a machine of which nothing is known

bool throttles(const SensorReading& reading) { return reading.throttle && !reading.throttle->empty(); }

/// The interval of the peak that bounds the case: an efficiency may exceed 1 by that much and be true.
double peak_uncertainty(const SystemSpec& spec, const SpeedOfLight& sol, DType math) {
  const Figure* figure = &spec.memory_bandwidth;
  if (sol.bound() == "llc") figure = &spec.llc_bandwidth;
  if (sol.bound() == "math")
    if (const auto found = spec.flops.find(math); found != spec.flops.end()) figure = &found->second;
  return figure->measured_rel_ci95.value_or(0);
}

}  // namespace

double default_deadline_s(const MeasureOptions& options, const std::optional<SpeedOfLight>& sol,
                          const Work& work) {
  const double launch_s =
      sol ? kSlowest * sol->ms() / 1e3 : work.flops / kSlowFlops + work.bytes() / kSlowBandwidth;
  return std::max({kLeastDeadline_s, 3 * options.stopping.max_time_s, launch_s * (options.warmups + 2)});
}

CaseRun::CaseRun(const MeasureContext& context, const Case& c)
    : context_(context), case_(c), work_(c.op->work(c.values)) {
  if (!context.system) return;
  sol_ = speed_of_light(work_, *context.system, context.options.cache);
  if (sol_) light_limit_ = 1 + peak_uncertainty(*context.system, *sol_, work_.math);
}

SampleRequest CaseRun::request() const {
  const MeasureOptions& o = context_.options;
  SampleRequest r;
  r.what = {case_text(case_), context_.backend, o.kernel, o.seed};
  r.cache = o.cache;
  r.warmups = last_ ? std::min(o.warmups, 1) : o.warmups;  // the kernel is still warm from the answer before
  // One slow launch warms as well as three: warm-ups take no longer than the measuring itself may.
  if (sol_ && sol_->ms() > 0)
    r.warmups = std::min(r.warmups, int(std::clamp(1e3 * o.stopping.max_time_s / sol_->ms(), 1.0, 1e6)));
  r.repetitions = next_repetitions(o.stopping, samples_ms_.size());
  r.min_sample_ms = o.min_sample_ms;
  r.max_total_ms = std::max(1.0, 1e3 * (o.stopping.max_time_s - last_elapsed_s_));
  r.allow_graph_fail = o.allow_graph_fail;
  r.measure_energy = o.measure_energy;
  return r;
}

CaseRun::Next CaseRun::take(const SampleAnswer& answer, double wall_s) {
  if (std::string problem = problem_of(answer); !problem.empty()) return fail(std::move(problem));
  const std::vector<double>& fresh = answer.samples.latency_ms;
  if (!first_answer_s_) {
    first_answer_s_ = wall_s;
    for (const double ms : fresh) first_busy_s_ += ms * answer.samples.launches_per_sample / 1e3;
  }
  last_ = answer;
  last_->samples.latency_ms.clear();
  last_->rank_ms.clear();
  last_count_ = fresh.size();
  if (throttles(answer.samples.before) || throttles(answer.samples.after)) {
    if (throttle_retries_ < context_.options.throttle_retries) return retry_throttled(answer);
    if (samples_ms_.size() >= 2) return conclude(StopReason::time_up);  // what is there is clean: not mixed
    throttled_ = true;
  }
  samples_ms_.insert(samples_ms_.end(), fresh.begin(), fresh.end());
  rank_ms_.insert(rank_ms_.end(), answer.rank_ms.begin(), answer.rank_ms.end());
  last_elapsed_s_ = elapsed_s(wall_s);
  const StopDecision decision = judge(context_.options.stopping, samples_ms_, last_elapsed_s_);
  return decision.stop ? conclude(decision.reason) : Next::ask;
}

CaseRun::Next CaseRun::fail(std::string reason) {
  failure_ = std::move(reason);
  return Next::done;
}

CaseRun::Next CaseRun::retry_throttled(const SampleAnswer& answer) {
  ++throttle_retries_;
  const auto& fresh = answer.samples.latency_ms;
  discarded_ms_.insert(discarded_ms_.end(), fresh.begin(), fresh.end());
  return Next::pause;
}

CaseRun::Next CaseRun::conclude(StopReason reason) {
  stop_ = reason;
  median_ms_ = statistics_of(samples_ms_).median;
  if (!faster_than_light()) return Next::done;
  if (impossible_retries_ >= context_.options.impossible_retries) {
    suspect_ = true;
    return Next::done;
  }
  ++impossible_retries_;
  discarded_ms_.insert(discarded_ms_.end(), samples_ms_.begin(), samples_ms_.end());
  samples_ms_.clear();
  rank_ms_.clear();
  first_answer_s_.reset();
  first_busy_s_ = last_elapsed_s_ = 0;
  return Next::ask;
}

std::string CaseRun::problem_of(const SampleAnswer& answer) const {
  const Samples& s = answer.samples;
  if (s.latency_ms.empty()) return "the worker answered without a sample";
  if (s.launches_per_sample < 1) return "the worker counts fewer than one launch per sample";
  for (const double ms : s.latency_ms)
    if (!(ms > 0)) return fmt::format("the worker reports a latency of {} ms", format_real(ms));
  if (!answer.rank_ms.empty() && answer.rank_ms.size() != s.latency_ms.size())
    return fmt::format("the worker reports rank times of {} of {} samples", answer.rank_ms.size(),
                       s.latency_ms.size());
  if (answer.kernel_source.empty()) return "the worker does not say which kernel ran";
  if (s.cache != context_.options.cache)
    return fmt::format("the worker measured in cache state {} instead of {}", name_of(s.cache),
                       name_of(context_.options.cache));
  if (last_ && (last_->kernel_source != answer.kernel_source || last_->samples.launch != s.launch))
    return fmt::format("the kernel changed while it was measured: {} ({}), then {} ({})",
                       last_->kernel_source, name_of(last_->samples.launch), answer.kernel_source,
                       name_of(s.launch));
  return {};
}

bool CaseRun::faster_than_light() const { return sol_ && sol_->ms() / median_ms_ > light_limit_; }

double CaseRun::elapsed_s(double wall_s) const { return first_busy_s_ + wall_s - *first_answer_s_; }

Row CaseRun::row() const {
  const Samples& s = last_->samples;
  const SampleStatistics statistics = statistics_of(samples_ms_);
  Row row{.c = case_};
  row.framework = context_.backend;
  row.version = context_.backend_version;
  row.device = context_.device_name;
  row.kernel_source = last_->kernel_source;
  row.measured.assign(case_.op->info.measured.size(), 0);
  row.measured.front() = statistics.median / case_.op->info.measured.front().to_ms;
  row.power_w = s.after.power_w;
  row.power_limit_w = s.after.power_limit_w;
  RowQuality& q = row.quality.emplace();
  q.samples = int64_t(statistics.count);
  q.latency_p10_ms = statistics.p10;
  q.latency_p90_ms = statistics.p90;
  q.rel_ci95 = statistics.rel_ci95;
  q.cache_state = s.cache;
  q.launch = s.launch;
  q.clock_mhz = s.after.clock_mhz;
  q.temperature_c = s.after.temperature_c;
  q.throttled = throttled_;
  if (context_.options.measure_energy && s.before.energy_mj && s.after.energy_mj)
    q.energy_mj = (*s.after.energy_mj - *s.before.energy_mj) / double(last_count_) / s.launches_per_sample;
  if (sol_) q.efficiency = sol_->ms() / statistics.median;
  q.seed = context_.options.seed;
  q.case_id = case_id(case_);
  q.run_id = context_.run_id;
  return row;
}

CaseRecord CaseRun::record() const {
  CaseRecord r;
  r.case_text = case_text(case_);
  r.case_id = case_id(case_);
  r.backend = context_.backend;
  r.kernel = context_.options.kernel;
  r.cache = context_.options.cache;
  if (!failure_.empty()) {
    r.outcome = Outcome::failed;
    r.reason = failure_;
    return r;
  }
  r.outcome = Outcome::measured;
  r.row = row();
  r.samples_ms = samples_ms_;
  r.discarded_ms = discarded_ms_;
  r.stop = stop_;
  r.suspect = suspect_;
  r.launches_per_sample = last_->samples.launches_per_sample;
  r.bytes_touched = last_->samples.bytes_touched;
  r.launch_note = last_->samples.launch_note;
  r.rank_ms = rank_ms_;
  return r;
}

}  // namespace perfatlas
