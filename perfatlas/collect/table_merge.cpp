// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/table_merge.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace perfatlas {
namespace {

/// Ranks of rows whose moment within their run is unknown; journal sequences come after them.
enum Rank : uint64_t { from_history = 0, from_table = 1, from_staging = 2, first_recorded = 3 };

struct Candidate {
  const Row* row = nullptr;
  std::string_view run_id;
  uint64_t rank = 0;

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
  return content_hash(*a.row) < content_hash(*b.row);
}

std::vector<Row> sorted_rows(std::vector<Candidate> candidates) {
  std::sort(candidates.begin(), candidates.end(), before);
  std::vector<Row> rows;
  for (const Candidate& c : candidates) rows.push_back(*c.row);
  return rows;
}

/// Distinct measurements, each with its greatest age.
class Candidates {
 public:
  void add(const Row& row, std::string_view run_id, uint64_t rank) {
    const auto [at, is_new] = by_content_.try_emplace(content_hash(row), all_.size());
    if (is_new) all_.push_back({&row, run_id, rank});
    Candidate& known = all_[at->second];
    known.rank = std::max(known.rank, rank);
  }
  const std::vector<Candidate>& all() const { return all_; }

 private:
  std::vector<Candidate> all_;
  std::unordered_map<uint64_t, size_t> by_content_;
};

std::string_view run_of(const Row& row) {
  return row.quality ? std::string_view(row.quality->run_id) : std::string_view();
}

}  // namespace

MergedTable merge_table(const std::vector<Row>& table, const std::vector<Row>& history,
                        const std::vector<MeasuredRow>& measured) {
  Candidates candidates;
  for (const Row& row : history) candidates.add(row, run_of(row), from_history);
  for (const Row& row : table) candidates.add(row, run_of(row), from_table);
  for (const MeasuredRow& m : measured)
    candidates.add(m.row, m.run_id, m.sequence == 0 ? uint64_t(from_staging) : first_recorded + m.sequence);

  std::unordered_map<uint64_t, size_t> winner_of;
  const std::vector<Candidate>& all = candidates.all();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto [at, is_new] = winner_of.try_emplace(row_identity(*all[i].row), i);
    if (!is_new && all[at->second].age() <= all[i].age()) at->second = i;
  }
  std::unordered_map<uint64_t, uint64_t> placed;  // identity -> content
  for (const Row& row : table) placed[row_identity(row)] = content_hash(row);

  MergedTable merged;
  std::vector<Candidate> winners, others;
  for (size_t i = 0; i < all.size(); ++i) {
    const uint64_t identity = row_identity(*all[i].row);
    if (winner_of.at(identity) != i) {
      others.push_back(all[i]);
      continue;
    }
    winners.push_back(all[i]);
    const auto old = placed.find(identity);
    merged.added += old == placed.end();
    merged.replaced += old != placed.end() && old->second != content_hash(*all[i].row);
  }
  merged.rows = sorted_rows(std::move(winners));
  merged.history = sorted_rows(std::move(others));
  return merged;
}

}  // namespace perfatlas
