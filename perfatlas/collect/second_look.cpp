// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/second_look.h"

#include <algorithm>

#include "perfatlas/points/hiccup.h"

namespace perfatlas {

SecondLook::Decision SecondLook::take(size_t plan_index, CaseRecord record, bool doubtful, int measurements) {
  Pending& pending = pending_[plan_index];
  if (pending.records.empty()) pending.wanted = size_t(std::max(measurements, doubtful ? 2 : 1));
  pending.records.push_back(record);
  std::vector<double> latencies;
  for (const CaseRecord& r : pending.records) latencies.push_back(latency_ms(*r.row));
  if (latencies.size() == 2 && needs_third(latencies[0], latencies[1]))
    pending.wanted = std::max<size_t>(pending.wanted, 3);

  Decision decision;
  decision.again = latencies.size() < pending.wanted;
  if (decision.again) {
    record.final = false;
    decision.write.push_back(std::move(record));
    return decision;
  }
  const size_t kept = kept_measurement(latencies);
  cases_ += latencies.size() > 1;
  if (kept + 1 < latencies.size()) {
    CaseRecord chosen = pending.records[kept];
    chosen.attempts = record.attempts;
    record.final = false;
    decision.write.push_back(std::move(record));
    decision.write.push_back(std::move(chosen));
  } else {
    decision.write.push_back(std::move(record));
  }
  pending_.erase(plan_index);
  return decision;
}

}  // namespace perfatlas
