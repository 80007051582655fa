// SPDX-License-Identifier: Apache-2.0
// What a running collection does for a small plan: doubtful rows at once again, audits, families that have enough
// points.
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/text.h"
#include "perfatlas/collect/collection_impl.h"

namespace perfatlas {
namespace {

constexpr std::chrono::seconds kStopFileInterval{5};

}  // namespace

void Collection::write_record(const Job& job, const Case& c, CaseRecord record) {
  if (audits_ == nullptr || !record.row || !record.place) {
    recorder_.record(record);
    if (!record.final && phase_ == Phase::measuring) queue_.add_retry(job.plan_index, record.attempts);
    if (audits_ == nullptr || !record.final) return;
    audits_->take(c, record);
    return judge(c);
  }
  const bool can_repeat = phase_ == Phase::measuring;
  const double noise = record.row->quality ? record.row->quality->rel_ci95 : 0;
  const bool doubtful = can_repeat && audits_->doubtful(c, latency_ms(*record.row));
  const int attempts = record.attempts;
  const auto decision = second_look_.take(job.plan_index, std::move(record), doubtful,
                                          can_repeat ? audits_->measurements(c, noise) : 1);
  for (const CaseRecord& written : decision.write) recorder_.record(written);
  if (decision.again) return queue_.add_urgent(job.plan_index, attempts);
  audits_->take(c, decision.write.back());
  judge(c);
}

void Collection::judge(const Case& c) {
  auto record = audits_->advance(c);
  if (!record) return;
  recorder_.record(*record);
  const auto known =
      std::lower_bound(summary_.audits.begin(), summary_.audits.end(), record->family,
                       [](const AuditRecord& a, const std::string& family) { return a.family < family; });
  if (known != summary_.audits.end() && known->family == record->family)
    *known = std::move(*record);
  else
    summary_.audits.insert(known, std::move(*record));
}

void Collection::read_stop_file() {
  if (audits_ == nullptr || options_.small.stop_file.empty() || Clock::now() < stop_file_due_) return;
  stop_file_due_ = Clock::now() + kStopFileInterval;
  if (!file_exists(options_.small.stop_file)) return;
  const std::string text = read_file(options_.small.stop_file);
  for (const std::string_view line : split(text, '\n'))
    if (!trim(line).empty()) audits_->stop(std::string(trim(line)));
}

}  // namespace perfatlas
