// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_impl.h"
#include "perfatlas/collect/wall_clock.h"

namespace perfatlas {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kThrottlePause{200};  // time for a hot part to cool a little
// A case that runs when the budget ends may finish within this.
constexpr double kOvertime = 0.1, kLeastOvertime_s = 2;
constexpr size_t kLastPerDevice = 32;           // cases that are shared out longest first
constexpr milliseconds kProgressInterval{100};  // a progress line needs no more

double seconds_since(Collection::Clock::time_point start) {
  return std::chrono::duration<double>(Collection::Clock::now() - start).count();
}

}  // namespace

Collection::Collection(const Parts& parts, Remaining remaining)
    : plan_(parts.plan),
      options_(parts.options),
      observer_(parts.observer),
      summary_(parts.summary),
      cost_(parts.cost),
      recorder_(parts.options, parts.ops, parts.observer, parts.summary),
      queue_(parts.plan, std::move(remaining)),
      breaker_(parts.options.retry),
      reservoir_(parts.options.drift.max_cases, parts.options.drift.seed),
      start_(Clock::now()),
      audits_(parts.audits) {
  summary_.run_id = new_run_id();
  context_ = {options_.measure, options_.backend, "", "", summary_.run_id, options_.system};
  command_ = options_.worker_command.empty() ? worker_command(options_.backend) : options_.worker_command;
  for (const std::string& device : options_.devices) {
    std::string name = device;
    std::replace(name.begin(), name.end(), '/', '_');
    slots_.push_back({.device = device, .log_name = fmt::format("worker-{}.log", name)});
  }
  if (options_.stop_on_signals) signals_.emplace();
  if (audits_ != nullptr)
    queue_.skip_where([this](size_t i) { return plan_.place(i) && audits_->stopped(plan_.at(i)); });
}

void Collection::run() {
  while (true) {
    read_stop_file();
    advance_phase();
    for (Slot& slot : slots_) assign(slot);
    if (idle() && (phase_ == Phase::leaving || !queue_.peek())) {
      if (phase_ != Phase::measuring) break;
      begin_reruns();
      continue;
    }
    share_out_the_last();
    wait();
    for (Slot& slot : slots_) check_clocks(slot);
    recorder_.housekeeping();
    report_progress(false);
  }
  finish();
}

double Collection::elapsed_s() const { return seconds_since(start_); }

bool Collection::budget_used(double share) const {
  return options_.budget_s && elapsed_s() >= share * *options_.budget_s;
}

void Collection::advance_phase() {
  const int signals = signals_ ? signals_->count() : 0;
  if (signals > 0) leave(EndReason::interrupted);
  if (signals > 1)
    for (Slot& slot : slots_) {
      abandon_job(slot);
      slot.worker.reset();
    }
  const double share = options_.drift.max_cases > 0 ? 1 - options_.drift.share : 1;
  if (phase_ == Phase::measuring && queue_.peek() && budget_used(share)) {
    end_ = EndReason::budget;
    begin_reruns();
  }
  if (phase_ == Phase::rerunning && Clock::now() >= rerun_until_) phase_ = Phase::leaving;
}

void Collection::leave(EndReason reason) {
  if (phase_ == Phase::leaving && end_ == reason) return;
  end_ = reason;
  phase_ = Phase::leaving;
}

bool Collection::idle() const {
  return std::none_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.job.has_value(); });
}

/// Gives an idle device the next job, starting or replacing its worker first when it must.
void Collection::assign(Slot& slot) {
  if (slot.job || phase_ == Phase::leaving) return;
  const auto next = queue_.peek();
  if (!next) return;
  const bool wants_fresh_worker = next->kind == Job::Kind::retry && slot.served > 0;
  if (slot.worker && wants_fresh_worker) retire_worker(slot);
  if (!slot.worker) start_worker(slot);
  if (slot.worker && slot.greeted) start_job(slot);
}

void Collection::start_job(Slot& slot) {
  slot.job = queue_.take();
  slot.run.emplace(context_, plan_.at(slot.job->plan_index));
  slot.job_start = Clock::now();
  ++slot.served;
  ask(slot);
}

void Collection::ask(Slot& slot) {
  slot.resume_at.reset();
  slot.request_start = Clock::now();
  slot.allowed_s = options_.case_deadline_s.value_or(slot.run->deadline_s());
  SampleRequest request = slot.run->request();
  if (slot.operands) request.what.offer = slot.operands->for_sampling(slot.run->c(), request.what.seed);
  if (const auto loss = slot.worker->ask(request)) on_loss(slot, *loss);
}

void Collection::wait() {
  std::vector<pollfd> entries;
  std::vector<Slot*> owners;
  auto until = Clock::now() + recorder_.patience();
  for (Slot& slot : slots_) {
    if (!slot.worker) continue;
    entries.push_back({slot.worker->fd(), POLLIN, 0});
    owners.push_back(&slot);
    const std::chrono::duration<double> allowed(slot.allowed_s);
    if (slot.worker->waiting())
      until = std::min(until, slot.request_start + std::chrono::duration_cast<Clock::duration>(allowed));
    if (slot.resume_at) until = std::min(until, *slot.resume_at);
  }
  if (signals_) entries.push_back({signals_->fd(), POLLIN, 0});
  const auto patience = std::chrono::ceil<milliseconds>(until - Clock::now());
  if (::poll(entries.data(), nfds_t(entries.size()), int(std::max(patience, milliseconds{0}).count())) <= 0)
    return;
  for (size_t i = 0; i < owners.size(); ++i)
    if (entries[i].revents != 0) on_readable(*owners[i]);
}

void Collection::on_readable(Slot& slot) {
  auto event = slot.worker->event();
  if (auto* const answer = std::get_if<WorkerAnswer>(&event))
    on_answer(slot, std::move(*answer));
  else if (const auto* const loss = std::get_if<WorkerLoss>(&event))
    on_loss(slot, *loss);
}

void Collection::check_clocks(Slot& slot) {
  if (!slot.worker) return;
  if (slot.resume_at && Clock::now() >= *slot.resume_at) ask(slot);
  if (slot.job && over_budget()) return stop_overtime(slot);
  if (slot.worker && slot.worker->waiting() && seconds_since(slot.request_start) >= slot.allowed_s)
    on_loss(slot, slot.worker->give_up(slot.allowed_s));
}

bool Collection::over_budget() const {
  return options_.budget_s &&
         elapsed_s() > *options_.budget_s + std::max(kLeastOvertime_s, kOvertime * *options_.budget_s);
}

/// A case that would keep the budget from ending. It is tried again last in a later run, so that it cannot stand in
/// the way of the others.
void Collection::stop_overtime(Slot& slot) {
  slot.worker.reset();
  slot.resume_at.reset();
  if (slot.job->kind == Job::Kind::rerun) return abandon_job(slot);
  CaseRecord record;
  record.outcome = Outcome::timed_out;
  record.final = false;
  record.reason = fmt::format("not done after {} when the budget had ended; the worker was killed",
                              format_duration(seconds_since(slot.job_start)));
  finish_job(slot, std::move(record), false);
}

void Collection::on_answer(Slot& slot, WorkerAnswer answer) {
  summary_.measured_s += seconds_since(slot.request_start);
  if (!slot.greeted) {
    if (const auto* const hello = std::get_if<HelloAnswer>(&answer)) return greet(slot, *hello);
    const auto* const failed = std::get_if<FailedAnswer>(&answer);
    return on_loss(slot, {Outcome::failed, failed != nullptr ? failed->error : "it did not say hello", {}});
  }
  if (const auto* const sample = std::get_if<SampleAnswer>(&answer)) return on_sample(slot, *sample);
  CaseRecord record;
  if (auto* const skipped = std::get_if<SkippedAnswer>(&answer)) {
    record.outcome = Outcome::skipped;
    record.reason = std::move(skipped->reason);
  } else if (auto* const failed = std::get_if<FailedAnswer>(&answer)) {
    record.outcome = Outcome::failed;
    record.reason = std::move(failed->error);
  } else {
    return on_loss(
        slot, {Outcome::failed, "the worker broke the protocol: it answered another kind of request", {}});
  }
  finish_job(slot, std::move(record), false);
}

void Collection::on_sample(Slot& slot, const SampleAnswer& answer) {
  const auto next = slot.run->take(answer, seconds_since(slot.job_start));
  if (next == CaseRun::Next::done) return finish_job(slot, slot.run->record(), false);
  if (end_ == EndReason::interrupted) return abandon_job(slot);
  if (next == CaseRun::Next::ask) return ask(slot);
  slot.resume_at = Clock::now() + kThrottlePause;
}

void Collection::on_loss(Slot& slot, const WorkerLoss& loss) {
  slot.worker.reset();
  slot.resume_at.reset();
  if (!slot.greeted) return check_start_failure(slot, loss);
  observer_.on_event(fmt::format("the worker for device {} was lost: {}", slot.device, loss.reason));
  if (!slot.job) return;
  CaseRecord record;
  record.outcome = loss.outcome;
  record.reason = loss.reason;
  finish_job(slot, std::move(record), loss.outcome == Outcome::failed);
}

/// Completes the record with what only the supervisor knows, writes it and decides what follows from it.
void Collection::finish_job(Slot& slot, CaseRecord record, bool broke_protocol) {
  const Job job = *slot.job;
  const Case c = slot.run->c();
  const double median_ms = record.outcome == Outcome::measured ? slot.run->median_ms() : 0;
  slot.run.reset();
  slot.job.reset();
  current_case_ = record.case_text = case_text(c);
  record.case_id = case_id(c);
  if (job.kind == Job::Kind::rerun) {
    if (record.outcome != Outcome::measured) return;
    drift_.add(job.first_ms, median_ms);
    return recorder_.record(
        RerunRecord{record.case_text, record.case_id, job.first_ms, median_ms, record.samples_ms});
  }
  record.backend = options_.backend;
  record.kernel = options_.measure.kernel;
  record.cache = options_.measure.cache;
  record.device_id = slot.device;
  record.attempts = job.attempts_before + 1;
  record.date = utc_now();
  record.duration_s = seconds_since(slot.job_start);
  record.repro =
      repro_line(c) + fmt::format(" --backend {} --cache {}", options_.backend, name_of(record.cache));
  if (is_failure(record.outcome)) record.log = slot.log_name;
  record.final =
      record.final && !worth_retrying(options_.retry, record.outcome, broke_protocol, record.attempts);
  record.place = plan_.place(job.plan_index);
  cost_.learn(c, record.duration_s);
  if (record.outcome == Outcome::measured) reservoir_.offer({job.plan_index, median_ms});
  const Outcome outcome = record.outcome;
  write_record(job, c, std::move(record));
  if (breaker_.record(*c.op, outcome)) {
    queue_.stop_op(*c.op);
    recorder_.record(BreakerRecord{std::string(c.op->info.id), breaker_.reason(*c.op)});
  }
  if (slot.worker && slot.served % 16 == 0) limit_memory(slot);
}

/// The case stays as it was before this run touched it.
void Collection::abandon_job(Slot& slot) {
  slot.job.reset();
  slot.run.reset();
  slot.resume_at.reset();
}

void Collection::begin_reruns() {
  const double budget = options_.budget_s.value_or(elapsed_s() / (1 - options_.drift.share));
  const double until = std::min(budget, elapsed_s() + options_.drift.share * budget);
  rerun_until_ = start_ + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(until));
  std::vector<RerunCandidate> chosen = reservoir_.kept();
  const auto wanted = size_t(std::ceil(options_.drift.share * double(reservoir_.offered())));
  if (!options_.budget_s && chosen.size() > wanted) chosen.resize(wanted);
  queue_.only_reruns(chosen);
  phase_ = Phase::rerunning;
}

void Collection::finish() {
  for (Slot& slot : slots_) retire_worker(slot);
  summary_.not_attempted = summary_.planned - summary_.already_done - summary_.this_run.total();
  if (end_ == EndReason::complete && !summary_.stopped_ops.empty()) end_ = EndReason::gave_up;
  summary_.remeasured = second_look_.cases();
  if (end_ == EndReason::complete && summary_.not_attempted > 0)
    end_ = audits_ != nullptr && audits_->any_stopped() ? EndReason::target : EndReason::budget;
  summary_.end = end_;
  summary_.drift = drift_.figures();
  summary_.elapsed_s = elapsed_s();
  report_progress(true);
  if (!recorder_.begun()) return;
  const OutcomeCounts& n = summary_.this_run;
  recorder_.end({.date = utc_now(),
                 .why = std::string(name_of(end_)),
                 .outcomes = {{"measured", n.measured},
                              {"skipped", n.skipped},
                              {"failed", n.failed},
                              {"crashed", n.crashed},
                              {"timed_out", n.timed_out}},
                 .not_attempted = summary_.not_attempted,
                 .drift = summary_.drift});
  recorder_.write_tables();
}

/// Without a budget, whose cases keep their order, the last cases go out longest first.
void Collection::share_out_the_last() {
  const size_t last = kLastPerDevice * slots_.size();
  if (last_shared_out_ || slots_.size() < 2 || options_.budget_s || queue_.fresh_left() > last) return;
  last_shared_out_ = true;
  queue_.longest_first([&](const Case& c) { return cost_.seconds_of(c); });
}

void Collection::report_progress(bool always) {
  if (!always && Clock::now() < progress_due_) return;
  progress_due_ = Clock::now() + kProgressInterval;
  Progress p;
  const uint64_t now_done = summary_.this_run.total();
  p.done = summary_.already_done + now_done;
  p.total = summary_.planned;
  p.failures = summary_.this_run.failures();
  p.elapsed_s = elapsed_s();
  if (now_done > 0) p.eta_s = cost_.remaining_s() / double(slots_.size());
  if (options_.budget_s) {
    const double left = std::max(0.0, *options_.budget_s - p.elapsed_s);
    p.eta_s = std::min(p.eta_s.value_or(left), left);
  }
  for (const Slot& slot : slots_)
    if (slot.run) current_case_ = case_text(slot.run->c());
  p.current_case = current_case_;
  observer_.on_progress(p);
}

}  // namespace perfatlas
