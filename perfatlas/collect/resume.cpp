// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/resume.h"

#include <algorithm>

#include "perfatlas/base/parallel.h"

namespace perfatlas {

FolderState::FolderState(const std::vector<std::string>& folders, const OpRegistry& ops) {
  damaged_ = read_journals(journal_files(folders), ops, [&](const JournalRecord& record) {
    if (const auto* const run = std::get_if<RunRecord>(&record)) runs_.push_back(*run);
    const auto* const c = std::get_if<CaseRecord>(&record);
    if (c == nullptr) return;
    states_.push_back({key_of(*c), c->outcome, c->final, uint16_t(std::clamp(c->attempts, 0, 65535))});
    if (!c->row) return;
    const OpType* const op = c->row->c.op;
    if (std::find(ops_with_rows_.begin(), ops_with_rows_.end(), op) == ops_with_rows_.end())
      ops_with_rows_.push_back(op);
  });
  // Journals are read oldest first: of equal keys the last one counts.
  std::stable_sort(states_.begin(), states_.end(),
                   [](const KeyState& a, const KeyState& b) { return a.key < b.key; });
  const auto last = std::unique(states_.rbegin(), states_.rend(),
                                [](const KeyState& a, const KeyState& b) { return a.key == b.key; });
  states_.erase(states_.begin(), last.base());
  states_.shrink_to_fit();
}

const KeyState* FolderState::find(uint64_t key) const {
  const auto at = std::lower_bound(states_.begin(), states_.end(), key,
                                   [](const KeyState& state, uint64_t k) { return state.key < k; });
  return at != states_.end() && at->key == key ? &*at : nullptr;
}

namespace {

constexpr size_t kLeastPerThread = 1 << 15;  // cases: some milliseconds

}  // namespace

Remaining remaining_work(const Plan& plan, const FolderState& state, const ResumeOptions& options) {
  const RecordKeys keys(options.backend, options.kernel, options.cache);
  // Few are known, of a plan that has begun: those are looked up again below.
  std::vector<uint8_t> known(plan.size(), 0);
  if (options.resume && !state.empty())
    in_parallel(plan.size(), kLeastPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) known[i] = state.find(keys.of(plan.id(i))) != nullptr;
    });
  Remaining work;
  for (size_t i = 0; i < plan.size(); ++i) {
    if (known[i] == 0) {
      work.fresh.push_back(uint32_t(i));
      continue;
    }
    const KeyState& past = *state.find(keys.of(plan.id(i)));
    const bool failed = is_failure(past.outcome);
    if (!past.final)
      work.retries.push_back({uint32_t(i), past.attempts});
    else if (failed && options.retry_failed)
      work.retries.push_back({uint32_t(i), 0});
    else
      ++work.done;
  }
  return work;
}

void put_expensive_last(const Plan& plan, const std::function<double(const Case&)>& seconds_of,
                        double limit_s, PlanStretches& fresh) {
  PlanStretches ordered;
  std::vector<std::pair<double, uint32_t>> expensive;
  fresh.for_each([&](uint32_t index) {
    const double seconds = seconds_of(plan.at(index));
    if (seconds > limit_s)
      expensive.emplace_back(seconds, index);
    else
      ordered.push_back(index);
  });
  std::stable_sort(expensive.begin(), expensive.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [seconds, index] : expensive) ordered.push_back(index);
  fresh = std::move(ordered);
}

}  // namespace perfatlas
