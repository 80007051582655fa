// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/place_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_set>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/base/text.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

constexpr size_t kLeastPerThread = 256;  // rows: some milliseconds

/// Published tables spell frameworks in capitals, folders in lower case.
std::string backend_of(const Row& row) { return lower_case(row.framework); }

/// Sorts rows into tables. Neighbours mostly go into the same one.
class TableSorter {
 public:
  explicit TableSorter(PlaceInput& into) : into_(into) {}

  Measurements& table_of(const Row& row) {
    if (last_ != nullptr && op_ == row.c.op && framework_ == row.framework && version_ == row.version)
      return *last_;
    const TableFolderKey key{backend_of(row), row.version};
    if (!valid_folder_name(key.first) || !valid_folder_name(key.second))
      throw Error(
          fmt::format("cannot place rows of framework '{}', version '{}': not usable as folder names; "
                      "mend them in the collection",
                      key.first, key.second));
    op_ = row.c.op;
    framework_ = row.framework;
    version_ = row.version;
    last_ = &into_.tables[key].try_emplace(op_, *op_).first->second;
    return *last_;
  }

 private:
  PlaceInput& into_;
  Measurements* last_ = nullptr;
  const OpType* op_ = nullptr;
  std::string framework_, version_;
};

/// The newest record of each key, in few bytes, and how many keys ended how.
class OutcomeTally {
 public:
  struct Kind {
    std::string run_id, backend, version;
    const OpType* op = nullptr;
    Outcome outcome = Outcome::measured;
    bool final = true;
    auto operator<=>(const Kind&) const = default;
  };

  void add(uint64_t key, Kind kind) {
    if (kinds_.empty() || *last_ != kind) {
      const auto [at, is_new] = number_of_.try_emplace(std::move(kind), uint32_t(kinds_.size()));
      if (is_new) kinds_.push_back(&at->first);
      last_ = &at->first;
      last_number_ = at->second;
    }
    states_.push_back({key, last_number_});
  }

  std::vector<OutcomeCount> counts() {
    std::stable_sort(states_.begin(), states_.end(),
                     [](const State& a, const State& b) { return a.key < b.key; });
    std::vector<uint64_t> cases(kinds_.size(), 0);
    for (size_t i = 0; i < states_.size(); ++i)
      if (i + 1 == states_.size() || states_[i + 1].key != states_[i].key) ++cases[states_[i].kind];
    std::vector<OutcomeCount> counts;
    for (size_t k = 0; k < kinds_.size(); ++k)
      if (const Kind& kind = *kinds_[k]; kind.final && cases[k] > 0)
        counts.push_back({kind.run_id, kind.backend, kind.version, kind.op, kind.outcome, cases[k]});
    return counts;
  }

 private:
  struct State {
    uint64_t key = 0;
    uint32_t kind = 0;
  };
  std::vector<State> states_;  // in the order of records
  std::map<Kind, uint32_t> number_of_;
  std::vector<const Kind*> kinds_;  // by number
  const Kind* last_ = nullptr;
  uint32_t last_number_ = 0;
};

/// Takes blocks of records in order, oldest journal first.
class Gatherer {
 public:
  Gatherer(const OpRegistry& ops, const RowDigests& digests, PlaceInput& into)
      : ops_(ops), digests_(digests), into_(into), tables_(into) {}

  void take(JournalBlock&& block) {
    if (block.begins_file) current_ = {.run_id = run_id_of_file(block.path)};
    std::vector<RowDigest> digests(block.records.size());
    in_parallel(digests.size(), kLeastPerThread, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i)
        if (const auto* const c = std::get_if<CaseRecord>(&block.records[i]); c != nullptr && c->row)
          digests[i] = digests_.of(*c->row);
    });
    for (size_t i = 0; i < digests.size(); ++i) {
      ++sequence_;
      if (const auto* const run = std::get_if<RunRecord>(&block.records[i]))
        take_run(*run);
      else if (const auto* const c = std::get_if<CaseRecord>(&block.records[i]))
        take_case(*c, digests[i]);
      else if (const auto* const end = std::get_if<EndRecord>(&block.records[i]))
        into_.ends[current_.run_id] = *end;
    }
  }
  std::vector<OutcomeCount> outcomes() { return tally_.counts(); }

 private:
  void take_run(const RunRecord& run) {
    if (runs_.insert(run.run_id).second) into_.runs.push_back(run);
    current_ = run;
  }
  void take_case(const CaseRecord& record, const RowDigest& digest) {
    const OpType* const op = record.row ? record.row->c.op : ops_.parse_case(record.case_text).op;
    tally_.add(key_of(record),
               {current_.run_id, record.backend, record.row ? record.row->version : current_.backend_version,
                op, record.outcome, record.final});
    if (record.row)
      tables_.table_of(*record.row).add_recorded(*record.row, digest, current_.run_id, sequence_);
  }

  const OpRegistry& ops_;
  const RowDigests& digests_;
  PlaceInput& into_;
  TableSorter tables_;
  OutcomeTally tally_;
  RunRecord current_;
  uint64_t sequence_ = 0;
  std::set<std::string> runs_;
};

/// Rows of staging tables that no journal has, each once.
class StagingRows {
 public:
  StagingRows(const RowDigests& digests, PlaceInput& into) : digests_(digests), tables_(into) {
    for (const auto& [folder, tables] : into.tables)
      for (const auto& [op, measured] : tables)
        recorded_.insert(recorded_.end(), measured.contents().begin(), measured.contents().end());
    std::sort(recorded_.begin(), recorded_.end());
  }

  void read(const std::vector<std::pair<const OpType*, std::string>>& files) {
    const size_t together = processors();
    for (size_t start = 0; start < files.size(); start += together) {
      std::vector<std::vector<Found>> found(std::min(together, files.size() - start));
      for_each_parallel(found.size(), [&](size_t i) { found[i] = unrecorded(files[start + i]); });
      for (const std::vector<Found>& rows : found)
        for (const Found& f : rows)
          if (seen_.insert(f.digest.content).second) tables_.table_of(f.row).add_staged(f.row, f.digest);
    }
  }

 private:
  struct Found {
    Row row;
    RowDigest digest;
  };
  std::vector<Found> unrecorded(const std::pair<const OpType*, std::string>& file) const {
    std::vector<Found> found;
    read_table(*file.first, {.table = {}, .format = TableFormat::csv, .path = file.second}, [&](Row&& row) {
      const RowDigest digest = digests_.of(row);
      if (!std::binary_search(recorded_.begin(), recorded_.end(), digest.content))
        found.push_back({std::move(row), digest});
    });
    return found;
  }

  const RowDigests& digests_;
  TableSorter tables_;
  std::vector<uint64_t> recorded_;  // contents, sorted
  std::unordered_set<uint64_t> seen_;
};

}  // namespace

RowDigests::RowDigests(const OpRegistry& ops) {
  for (const auto& op : ops.ops()) contents_.try_emplace(op.get(), *op);
}

RowDigest RowDigests::of(const Row& row) const { return {row_identity(row), contents_.at(row.c.op).of(row)}; }

PlaceInput read_place_input(const std::vector<std::string>& folders, const OpRegistry& ops) {
  PlaceInput input;
  const CollectionFiles files = collection_files(folders, ops);
  const RowDigests digests(ops);
  Gatherer gatherer(ops, digests, input);
  input.damaged = read_journal_blocks(files.journals, ops,
                                      [&](JournalBlock&& block) { gatherer.take(std::move(block)); });
  input.outcomes = gatherer.outcomes();
  if (!files.staging.empty()) StagingRows(digests, input).read(files.staging);
  return input;
}

bool PlaceInput::complete() const {
  std::map<std::string, uint64_t> decided;
  for (const OutcomeCount& count : outcomes) decided[count.run_id] += count.cases;
  return plan_complete(runs, ends, decided);
}

}  // namespace perfatlas
