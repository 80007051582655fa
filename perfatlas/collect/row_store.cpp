// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/row_store.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"

namespace perfatlas {
namespace {

constexpr size_t kLeastPerThread = 1 << 14;  // rows: some milliseconds

constexpr int64_t kLaunchModes = int64_t(kEnumNames<LaunchMode>.size());

/// The place of each entry among all in the order that `before` gives two of them. Entries are distinct.
template <class Entry, class Before>
std::vector<uint32_t> ranks_of(const std::vector<Entry>& entries, const Before& before) {
  std::vector<uint32_t> sorted(entries.size());
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::sort(sorted.begin(), sorted.end(),
            [&](uint32_t a, uint32_t b) { return before(entries[a], entries[b]); });
  std::vector<uint32_t> ranks(entries.size());
  for (uint32_t i = 0; i < sorted.size(); ++i) ranks[sorted[i]] = i;
  return ranks;
}

/// A column that takes part in the order of rows.
struct OrderColumn {
  const CodedColumn* codes = nullptr;
  std::vector<uint32_t> ranks;  // by code

  uint32_t rank(size_t row) const { return ranks[codes->code(row)]; }
  int bits() const { return std::bit_width(ranks.size() - 1); }
};

/// Most comparisons end with `key`, which holds the ranks of the first columns.
struct Keyed {
  uint64_t key = 0;
  uint32_t row = 0;
};

template <class Before>
void sort_in_parts(std::vector<Keyed>& all, const Before& before) {
  const auto at = [&](size_t i) { return all.begin() + std::ptrdiff_t(i); };
  std::mutex mutex;
  std::vector<size_t> begins;  // of sorted parts
  in_parallel(all.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    std::sort(at(begin), at(end), before);
    const std::lock_guard lock(mutex);
    begins.push_back(begin);
  });
  std::sort(begins.begin(), begins.end());
  begins.push_back(all.size());
  for (size_t part = 1; part + 1 < begins.size(); ++part)
    std::inplace_merge(at(0), at(begins[part]), at(begins[part + 1]), before);
}

}  // namespace

int64_t coded_state(const std::optional<RowQuality>& quality) {
  return quality ? 1 + int64_t(quality->cache_state) * kLaunchModes + int64_t(quality->launch) : 0;
}

void set_state(RowQuality& quality, int64_t state) {
  quality.cache_state = CacheState((state - 1) / kLaunchModes);
  quality.launch = LaunchMode((state - 1) % kLaunchModes);
}

void CodedText::push_back(std::string_view text) {
  if (texts_.empty() || texts_[size_t(last_)] != text) {
    const auto [entry, is_new] = numbers_.try_emplace(std::string(text), int64_t(texts_.size()));
    if (is_new) texts_.push_back(entry->first);
    last_ = entry->second;
  }
  codes_.push_back(last_);
}

void OptionalReals::push_back(std::optional<double> value) {
  ++rows_;
  if (!value && values_.empty()) return;
  values_.resize(rows_, std::numeric_limits<double>::quiet_NaN());
  if (value) values_.back() = *value;
}

std::optional<double> OptionalReals::at(size_t row) const {
  return row < values_.size() && !std::isnan(values_[row]) ? std::optional(values_[row]) : std::nullopt;
}

RowStore::RowStore(const OpType& op) : op_(&op), fields_(op.fields.size()) {}

void RowStore::add(const Row& row, std::string_view run_id) {
  PERFATLAS_ASSERT(row.c.op == op_ && row.measured.size() == op_->info.measured.size());
  for (size_t f = 0; f < fields_.size(); ++f) fields_[f].push_back(row.c.values[f]);
  framework_.push_back(row.framework);
  version_.push_back(row.version);
  device_.push_back(row.device);
  kernel_.push_back(row.kernel_source);
  run_.push_back(run_id);
  measured_.insert(measured_.end(), row.measured.begin(), row.measured.end());
  power_w_.push_back(row.power_w);
  power_limit_w_.push_back(row.power_limit_w);
  add_quality(row.quality);
}

void RowStore::add_quality(const std::optional<RowQuality>& quality) {
  static const RowQuality kNone;
  const RowQuality& q = quality ? *quality : kNone;
  const auto known = [&](double value) { return quality ? std::optional(value) : std::nullopt; };
  state_.push_back(coded_state(quality));
  samples_.push_back(q.samples);
  throttled_.push_back(q.throttled);
  seed_.push_back(std::bit_cast<int64_t>(q.seed));
  p10_.push_back(known(q.latency_p10_ms));
  p90_.push_back(known(q.latency_p90_ms));
  rel_ci95_.push_back(known(q.rel_ci95));
  clock_.push_back(q.clock_mhz);
  temperature_.push_back(q.temperature_c);
  energy_.push_back(q.energy_mj);
  efficiency_.push_back(q.efficiency);
  case_ids_.push_back(q.case_id);
  quality_run_.push_back(q.run_id);
}

void RowStore::get(size_t i, Row& row) const {
  row.c = {op_, {}};
  for (size_t f = 0; f < fields_.size(); ++f) row.c.values[f] = fields_[f].at(i);
  row.framework = framework_.at(i);
  row.version = version_.at(i);
  row.device = device_.at(i);
  row.kernel_source = kernel_.at(i);
  const size_t columns = op_->info.measured.size();
  const auto measured = measured_.begin() + std::ptrdiff_t(i * columns);
  row.measured.assign(measured, measured + std::ptrdiff_t(columns));
  row.power_w = power_w_.at(i);
  row.power_limit_w = power_limit_w_.at(i);
  get_quality(i, row.quality);
}

void RowStore::get_quality(size_t i, std::optional<RowQuality>& quality) const {
  const int64_t state = state_.at(i);
  if (state == 0) {
    quality.reset();
    return;
  }
  if (!quality) quality.emplace();
  RowQuality& q = *quality;
  q.samples = samples_.at(i);
  q.latency_p10_ms = p10_.at(i).value();
  q.latency_p90_ms = p90_.at(i).value();
  q.rel_ci95 = rel_ci95_.at(i).value();
  set_state(q, state);
  q.clock_mhz = clock_.at(i);
  q.temperature_c = temperature_.at(i);
  q.throttled = throttled_.at(i) != 0;
  q.energy_mj = energy_.at(i);
  q.efficiency = efficiency_.at(i);
  q.seed = std::bit_cast<uint64_t>(seed_.at(i));
  q.case_id = case_ids_[i];
  q.run_id = quality_run_.at(i);
}

void RowStore::finish() { run_ranks_ = ranks_of(run_.texts(), std::less<>()); }

/// Values of symbols differ from process to process: their texts decide.
std::vector<uint32_t> RowStore::field_ranks(size_t field) const {
  const FieldType& type = op_->fields[field];
  if (type.kind != ValueKind::symbol) return ranks_of(fields_[field].dictionary(), std::less<>());
  std::vector<std::string> texts;
  for (const int64_t value : fields_[field].dictionary()) texts.push_back(type.format(value));
  return ranks_of(texts, std::less<>());
}

void RowStore::sort(std::vector<uint32_t>& rows, std::span<const uint64_t> tie) const {
  std::vector<OrderColumn> columns;
  const auto add = [&](const CodedColumn& codes, std::vector<uint32_t> ranks) {
    if (ranks.size() > 1) columns.push_back({&codes, std::move(ranks)});
  };
  for (size_t f = 0; f < fields_.size(); ++f) add(fields_[f], field_ranks(f));
  add(kernel_.codes(), ranks_of(kernel_.texts(), std::less<>()));
  add(state_, ranks_of(state_.dictionary(), std::less<>()));
  add(run_.codes(), run_ranks_);
  size_t in_key = 0;
  for (int bits = 0; in_key < columns.size() && bits + columns[in_key].bits() <= 64; ++in_key)
    bits += columns[in_key].bits();

  std::vector<Keyed> keyed(rows.size());
  in_parallel(rows.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      keyed[i].row = rows[i];
      for (size_t c = 0; c < in_key; ++c)
        keyed[i].key = keyed[i].key << columns[c].bits() | columns[c].rank(rows[i]);
    }
  });
  sort_in_parts(keyed, [&](const Keyed& a, const Keyed& b) {
    if (a.key != b.key) return a.key < b.key;
    for (size_t c = in_key; c < columns.size(); ++c) {
      const uint32_t left = columns[c].rank(a.row), right = columns[c].rank(b.row);
      if (left != right) return left < right;
    }
    return tie[a.row] < tie[b.row];
  });
  std::transform(keyed.begin(), keyed.end(), rows.begin(), [](const Keyed& k) { return k.row; });
}

}  // namespace perfatlas
