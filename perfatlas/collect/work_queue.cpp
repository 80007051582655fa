// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/work_queue.h"

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {

WorkQueue::WorkQueue(const Plan& plan, Remaining remaining)
    : plan_(plan),
      fresh_(std::move(remaining.fresh)),
      retries_(remaining.retries.begin(), remaining.retries.end()) {}

bool WorkQueue::stopped(size_t plan_index) const {
  if (skip_ && skip_(plan_index)) return true;
  return !stopped_.empty() &&
         std::find(stopped_.begin(), stopped_.end(), plan_.at(plan_index).op) != stopped_.end();
}

std::optional<Job> WorkQueue::peek() {
  if (!urgent_.empty()) return Job{Job::Kind::retry, urgent_.front().index, urgent_.front().attempts};
  while (fresh_.left() > 0 && stopped(fresh_.index())) fresh_.advance();
  if (fresh_.left() > 0) return Job{Job::Kind::fresh, fresh_.index()};
  while (!retries_.empty() && stopped(retries_.front().index)) retries_.pop_front();
  if (!retries_.empty()) return Job{Job::Kind::retry, retries_.front().index, retries_.front().attempts};
  if (!reruns_.empty()) return Job{Job::Kind::rerun, reruns_.front().plan_index, 0, reruns_.front().first_ms};
  return std::nullopt;
}

Job WorkQueue::take() {
  const auto job = peek();
  PERFATLAS_ASSERT(job);
  if (job->kind == Job::Kind::fresh) fresh_.advance();
  if (job->kind == Job::Kind::retry) (urgent_.empty() ? retries_ : urgent_).pop_front();
  if (job->kind == Job::Kind::rerun) reruns_.pop_front();
  return *job;
}

void WorkQueue::add_retry(size_t plan_index, int attempts) {
  retries_.push_back({uint32_t(plan_index), attempts});
}

void WorkQueue::add_urgent(size_t plan_index, int attempts) {
  urgent_.push_back({uint32_t(plan_index), attempts});
}

void WorkQueue::longest_first(const std::function<double(const Case&)>& seconds_of) {
  std::vector<std::pair<double, uint32_t>> timed;
  for (; fresh_.left() > 0; fresh_.advance())
    timed.emplace_back(seconds_of(plan_.at(fresh_.index())), fresh_.index());
  std::stable_sort(timed.begin(), timed.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  PlanStretches ordered;
  for (const auto& [seconds, index] : timed) ordered.push_back(index);
  fresh_ = StretchCursor(std::move(ordered));
}

void WorkQueue::only_reruns(const std::vector<RerunCandidate>& candidates) {
  fresh_ = {};
  urgent_.clear();
  retries_.clear();
  reruns_.assign(candidates.begin(), candidates.end());
}

}  // namespace perfatlas
