// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/table_merge.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "perfatlas/base/parallel.h"

namespace perfatlas {
namespace {

/// Ranks of rows whose moment within their run is unknown; journal sequences come after them.
enum Rank : uint64_t { from_history = 0, from_table = 1, from_staging = 2, first_recorded = 3 };

struct Candidate {
  Row* row = nullptr;
  std::string_view run_id;
  uint64_t rank = 0;
  uint64_t identity = 0, content = 0;

  auto age() const { return std::tie(run_id, rank); }
};

/// Compares fields by their texts for symbols (their numbers differ from process to process), else by value.
int compare_cases(const Case& a, const Case& b) {
  for (size_t i = 0; i < a.op->fields.size(); ++i) {
    if (a.values[i] == b.values[i]) continue;
    const FieldType& field = a.op->fields[i];
    if (field.kind != ValueKind::symbol) return a.values[i] < b.values[i] ? -1 : 1;
    return field.format(a.values[i]).compare(field.format(b.values[i]));
  }
  return 0;
}

bool before(const Candidate& a, const Candidate& b) {
  if (const int order = compare_cases(a.row->c, b.row->c)) return order < 0;
  if (const int order = a.row->kernel_source.compare(b.row->kernel_source)) return order < 0;
  const auto state = [](const Row& row) {
    return row.quality ? std::pair(int(row.quality->cache_state), int(row.quality->launch))
                       : std::pair(-1, -1);
  };
  if (state(*a.row) != state(*b.row)) return state(*a.row) < state(*b.row);
  if (a.run_id != b.run_id) return a.run_id < b.run_id;
  return a.content < b.content;
}

constexpr size_t kLeastPerThread = 1 << 12;  // rows: some milliseconds

void sort(std::vector<Candidate>& candidates) {
  const auto at = [&](size_t i) { return candidates.begin() + std::ptrdiff_t(i); };
  std::mutex mutex;
  std::vector<size_t> begins;  // of sorted parts
  in_parallel(candidates.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    std::sort(at(begin), at(end), before);
    const std::lock_guard lock(mutex);
    begins.push_back(begin);
  });
  std::sort(begins.begin(), begins.end());
  begins.push_back(candidates.size());
  for (size_t part = 1; part + 1 < begins.size(); ++part)
    std::inplace_merge(at(0), at(begins[part]), at(begins[part + 1]), before);
}

bool differ(const std::vector<Candidate>& sorted, const std::vector<Row>& rows) {
  return !std::equal(sorted.begin(), sorted.end(), rows.begin(), rows.end(),
                     [](const Candidate& c, const Row& row) { return c.row == &row || *c.row == row; });
}

std::vector<Row> taken(const std::vector<Candidate>& candidates) {
  std::vector<Row> rows;
  rows.reserve(candidates.size());
  for (const Candidate& c : candidates) rows.push_back(std::move(*c.row));
  return rows;
}

void add_digests(std::vector<Candidate>& candidates) {
  if (candidates.empty()) return;
  const ContentHashes hashes(*candidates.front().row->c.op);
  in_parallel(candidates.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      candidates[i].identity = row_identity(*candidates[i].row);
      candidates[i].content = hashes.of(*candidates[i].row);
    }
  });
}

/// Each distinct measurement once, with its greatest age.
std::vector<Candidate> distinct(std::vector<Candidate> all) {
  std::unordered_map<uint64_t, size_t> by_content;
  by_content.reserve(all.size());
  size_t kept = 0;
  for (const Candidate& candidate : all) {
    const auto [at, is_new] = by_content.try_emplace(candidate.content, kept);
    if (is_new)
      all[kept++] = candidate;
    else
      all[at->second].rank = std::max(all[at->second].rank, candidate.rank);
  }
  all.resize(kept);
  return all;
}

std::string_view run_of(const Row& row) {
  return row.quality ? std::string_view(row.quality->run_id) : std::string_view();
}

}  // namespace

MergedTable merge_table(std::vector<Row> table, std::vector<Row> history, std::vector<MeasuredRow> measured) {
  std::vector<Candidate> all;
  all.reserve(history.size() + table.size() + measured.size());
  for (Row& row : history) all.push_back({&row, run_of(row), from_history});
  for (Row& row : table) all.push_back({&row, run_of(row), from_table});
  for (MeasuredRow& m : measured)
    all.push_back({&m.row, m.run_id, m.sequence == 0 ? uint64_t(from_staging) : first_recorded + m.sequence});
  add_digests(all);
  std::unordered_map<uint64_t, uint64_t> placed;  // identity -> content
  for (size_t i = 0; i < table.size(); ++i)
    placed[all[history.size() + i].identity] = all[history.size() + i].content;
  all = distinct(std::move(all));

  std::unordered_map<uint64_t, size_t> winner_of;
  winner_of.reserve(all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const auto [at, is_new] = winner_of.try_emplace(all[i].identity, i);
    if (!is_new && all[at->second].age() <= all[i].age()) at->second = i;
  }
  MergedTable merged;
  std::vector<Candidate> winners, others;
  for (size_t i = 0; i < all.size(); ++i) {
    if (winner_of.at(all[i].identity) != i) {
      others.push_back(all[i]);
      continue;
    }
    winners.push_back(all[i]);
    const auto old = placed.find(all[i].identity);
    merged.added += old == placed.end();
    merged.replaced += old != placed.end() && old->second != all[i].content;
  }
  sort(winners);
  sort(others);
  merged.rows_changed = differ(winners, table);
  merged.history_changed = differ(others, history);
  merged.rows = taken(winners);
  merged.history = taken(others);
  return merged;
}

}  // namespace perfatlas
