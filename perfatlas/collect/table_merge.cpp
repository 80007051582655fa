// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/table_merge.h"

#include <algorithm>
#include <tuple>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Ranks of rows whose moment within their run is unknown; journal sequences come after them.
enum Rank : uint64_t { from_history = 0, from_table = 1, from_staging = 2, first_recorded = 3 };

std::string_view run_of(const Row& row) {
  return row.quality ? std::string_view(row.quality->run_id) : std::string_view();
}

/// A number of a row beside the row's place in the order history, table, journals and staging tables.
struct Placed {
  uint64_t number = 0;
  uint32_t place = 0;
  auto operator<=>(const Placed&) const = default;
};

}  // namespace

void Measurements::add(const Row& row, const RowDigest& digest, std::string_view run_id, uint64_t rank) {
  rows_.add(row, run_id);
  identities_.push_back(digest.identity);
  contents_.push_back(digest.content);
  ranks_.push_back(rank);
}

void Measurements::add_recorded(const Row& row, const RowDigest& digest, std::string_view run_id,
                                uint64_t sequence) {
  PERFATLAS_ASSERT(in_history_ + in_table_ == 0);
  add(row, digest, run_id, first_recorded + sequence);
  ++measured_;
}

void Measurements::add_staged(const Row& row, const RowDigest& digest) {
  PERFATLAS_ASSERT(in_history_ + in_table_ == 0);
  add(row, digest, run_of(row), from_staging);
  ++measured_;
}

void Measurements::add_history(const Row& row, const RowDigest& digest) {
  PERFATLAS_ASSERT(in_table_ == 0);
  add(row, digest, run_of(row), from_history);
  ++in_history_;
}

void Measurements::add_placed(const Row& row, const RowDigest& digest) {
  add(row, digest, run_of(row), from_table);
  ++in_table_;
}

/// The first row of each distinct content, ascending in the order history, table, measured; it gets the greatest rank
/// of all equal ones.
std::vector<uint32_t> Measurements::distinct() {
  const auto size = uint32_t(rows_.size()), measured = uint32_t(measured_);
  const auto row_of = [&](uint32_t place) { return (place + measured) % size; };
  std::vector<Placed> by_content(size);
  for (uint32_t place = 0; place < size; ++place) by_content[place] = {contents_[row_of(place)], place};
  std::sort(by_content.begin(), by_content.end());
  std::vector<uint32_t> places;
  for (size_t begin = 0, end = 0; begin < size; begin = end) {
    uint64_t& rank = ranks_[row_of(by_content[begin].place)];
    for (end = begin; end < size && by_content[end].number == by_content[begin].number; ++end)
      rank = std::max(rank, ranks_[row_of(by_content[end].place)]);
    places.push_back(by_content[begin].place);
  }
  std::sort(places.begin(), places.end());
  std::transform(places.begin(), places.end(), places.begin(), row_of);
  return places;
}

/// By position in `distinct`: the row is the newest of its identity, of equally new ones the last.
std::vector<bool> Measurements::winners(const std::vector<uint32_t>& distinct, MergedTable& merged) const {
  std::vector<Placed> by_identity(distinct.size());
  for (uint32_t i = 0; i < distinct.size(); ++i) by_identity[i] = {identities_[distinct[i]], i};
  std::sort(by_identity.begin(), by_identity.end());
  const auto age = [&](const Placed& p) {
    return std::tuple(rows_.run_rank(distinct[p.place]), ranks_[distinct[p.place]], p.place);
  };
  std::vector<bool> wins(distinct.size(), false);
  for (size_t begin = 0, end = 0; begin < by_identity.size(); begin = end) {
    size_t newest = begin;
    for (end = begin; end < by_identity.size() && by_identity[end].number == by_identity[begin].number; ++end)
      if (age(by_identity[newest]) < age(by_identity[end])) newest = end;
    wins[by_identity[newest].place] = true;
    const uint32_t winner = distinct[by_identity[newest].place];
    for (size_t i = begin; i < end && ranks_[winner] > from_history; ++i)
      if (const uint32_t row = distinct[by_identity[i].place];
          i != newest && ranks_[row] == ranks_[winner] && rows_.run_rank(row) == rows_.run_rank(winner))
        merged.undecided.emplace_back(winner, row);
  }
  return wins;
}

/// Against the placed table: of an identity that it names twice the last row counts.
void Measurements::count_news(const std::vector<uint32_t>& winners, MergedTable& merged) const {
  const auto first_placed = uint32_t(measured_ + in_history_);
  std::vector<Placed> placed;  // identity, row
  for (uint32_t row = first_placed; row < rows_.size(); ++row) placed.push_back({identities_[row], row});
  std::sort(placed.begin(), placed.end());
  for (const uint32_t row : winners) {
    const auto behind = std::upper_bound(placed.begin(), placed.end(), Placed{identities_[row], UINT32_MAX});
    const bool known = behind != placed.begin() && std::prev(behind)->number == identities_[row];
    merged.added += !known;
    merged.replaced += known && contents_[std::prev(behind)->place] != contents_[row];
  }
}

/// Rows begin .. end-1, in their order, are not the same as these.
bool Measurements::differ(const std::vector<uint32_t>& sorted, size_t begin, size_t end) const {
  const auto first = contents_.begin() + std::ptrdiff_t(begin),
             last = contents_.begin() + std::ptrdiff_t(end);
  return !std::equal(sorted.begin(), sorted.end(), first, last,
                     [&](uint32_t row, uint64_t content) { return contents_[row] == content; });
}

MergedTable Measurements::merge() {
  rows_.finish();
  const std::vector<uint32_t> all = distinct();
  MergedTable merged;
  const std::vector<bool> wins = winners(all, merged);
  for (size_t i = 0; i < all.size(); ++i) (wins[i] ? merged.rows : merged.history).push_back(all[i]);
  count_news(merged.rows, merged);
  rows_.sort(merged.rows, contents_);
  rows_.sort(merged.history, contents_);
  merged.history_changed = differ(merged.history, measured_, measured_ + in_history_);
  merged.rows_changed = differ(merged.rows, measured_ + in_history_, rows_.size());
  return merged;
}

}  // namespace perfatlas
