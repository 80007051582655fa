// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/checked_rows.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include "perfatlas/base/error.h"

namespace perfatlas {
CheckedRows::CheckedRows(const OpType& op) : op_(&op), fields_(op.fields.size()) {}

void CheckedRows::add(const Row& row, const RowOrigin& origin) {
  PERFATLAS_ASSERT(row.c.op == op_);
  for (size_t f = 0; f < fields_.size(); ++f) fields_[f].push_back(row.c.values[f]);
  framework_.push_back(row.framework);
  kernel_.push_back(row.kernel_source);
  run_.push_back(origin.run_id);
  state_.push_back(coded_state(row.quality));
  throttled_.push_back(row.quality && row.quality->throttled);
  seed_.push_back(row.quality ? std::bit_cast<int64_t>(row.quality->seed) : 0);
  suspect_.push_back(origin.suspect);
  latency_ms_.push_back(perfatlas::latency_ms(row));
  rel_ci95_.push_back(row.quality ? std::optional(row.quality->rel_ci95) : std::nullopt);
  efficiency_.push_back(row.quality ? row.quality->efficiency : std::nullopt);
  identities_.push_back(row_identity(row));
  if (!origin.staged) first_staged_ = identities_.size();
}

/// Of rows of one identity that of the latest run counts, within a run the one recorded last.
std::vector<uint32_t> CheckedRows::newest_numbers() const {
  const auto age = [this](uint32_t i) {
    return std::tuple<const std::string&, bool, uint32_t>(run_.at(i), i < first_staged_, i);
  };
  std::vector<uint32_t> numbers(identities_.size());
  std::iota(numbers.begin(), numbers.end(), 0u);
  std::sort(numbers.begin(), numbers.end(), [&](uint32_t a, uint32_t b) {
    return identities_[a] != identities_[b] ? identities_[a] < identities_[b] : age(a) > age(b);
  });
  const auto older = std::unique(numbers.begin(), numbers.end(),
                                 [this](uint32_t a, uint32_t b) { return identities_[a] == identities_[b]; });
  numbers.erase(older, numbers.end());
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

void CheckedRows::finish() {
  newest_ = newest_numbers();
  size_ = newest_.size();
  if (size_ == identities_.size()) newest_ = {};
  newest_.shrink_to_fit();
  identities_ = {};
  for (CodedColumn& column : fields_) column.shrink();
}

FieldValues CheckedRows::values(size_t i) const {
  FieldValues values{};
  for (size_t f = 0; f < fields_.size(); ++f) values[f] = fields_[f].at(at(i));
  return values;
}

void CheckedRows::get(size_t i, Row& row) const {
  const uint32_t number = at(i);
  row.c = {op_, values(i)};
  row.framework = framework_.at(number);
  row.kernel_source = kernel_.at(number);
  const auto columns = op_->info.measured;
  const auto timed = std::find_if(columns.begin(), columns.end(), [](const auto& c) { return c.to_ms > 0; });
  row.measured.assign(columns.size(), 0);
  row.measured[size_t(timed - columns.begin())] = latency_ms_[number] / timed->to_ms;
  row.quality.reset();
  const int64_t state = state_.at(number);
  if (state == 0) return;
  RowQuality& q = row.quality.emplace();
  q.rel_ci95 = rel_ci95_.at(number).value();
  set_state(q, state);
  q.throttled = throttled_.at(number) != 0;
  q.efficiency = efficiency_.at(number);
  q.seed = std::bit_cast<uint64_t>(seed_.at(number));
}

}  // namespace perfatlas
