// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/validate_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

/// The newest record of each key in few bytes.
class NewestOutcomes {
 public:
  struct Kind {
    std::string backend, kernel;
    CacheState cache = CacheState::serving;
    const OpType* op = nullptr;
    Outcome outcome = Outcome::measured;
    bool final = true;
    auto operator<=>(const Kind&) const = default;
    auto how() const { return std::tie(backend, kernel, cache); }
  };

  void add(const CaseRecord& record, const OpType* op) {
    const Kind kind{record.backend, record.kernel, record.cache, op, record.outcome, record.final};
    if (kinds_.empty() || *kinds_[last_] != kind) {
      const auto [at, is_new] = numbers_.try_emplace(kind, uint32_t(kinds_.size()));
      if (is_new) kinds_.push_back(&at->first);
      last_ = at->second;
    }
    states_.push_back({record.case_id, last_});
    remember_failure(record);
  }

  void finish(size_t most_examples, ValidateInput& into) {
    std::stable_sort(states_.begin(), states_.end(), [this](const State& a, const State& b) {
      return a.case_id != b.case_id ? a.case_id < b.case_id : kinds_[a.kind]->how() < kinds_[b.kind]->how();
    });
    for (size_t i = 0; i < states_.size(); ++i) {
      const Kind& kind = *kinds_[states_[i].kind];
      if (i + 1 < states_.size() && states_[i + 1].case_id == states_[i].case_id &&
          kinds_[states_[i + 1].kind]->how() == kind.how())
        continue;
      into.failures += is_failure(kind.outcome);
      if (!kind.final) continue;
      ++into.outcomes[kind.op][kind.outcome];
      if (into.decided.empty() || into.decided.back() != states_[i].case_id)
        into.decided.push_back(states_[i].case_id);
    }
    into.decided.shrink_to_fit();
    std::vector<Failure> first;
    for (auto& [key, failure] : failures_) first.push_back(std::move(failure));
    std::sort(first.begin(), first.end(),
              [](const Failure& a, const Failure& b) { return a.number < b.number; });
    for (size_t i = 0; i < std::min(first.size(), most_examples); ++i)
      into.failure_examples.push_back(std::move(first[i].text));
  }

 private:
  struct State {
    uint64_t case_id = 0;
    uint32_t kind = 0;
  };
  struct Failure {
    uint64_t number = 0;  // of its record
    std::string text;
  };
  static constexpr size_t kMostTexts = 10'000;  // far more than anybody lists

  void remember_failure(const CaseRecord& record) {
    const bool failure = is_failure(record.outcome);
    if (!failure && failures_.empty()) return;
    const uint64_t key = key_of(record);
    if (!failure)
      failures_.erase(key);
    else if (failures_.size() < kMostTexts || failures_.count(key) > 0)
      failures_[key] = {states_.size(),
                        fmt::format("{}: {} ({})", record.repro, name_of(record.outcome), record.reason)};
  }

  std::vector<State> states_;  // in the order of records
  std::map<Kind, uint32_t> numbers_;
  std::vector<const Kind*> kinds_;  // by number
  uint32_t last_ = 0;
  std::unordered_map<uint64_t, Failure> failures_;  // by key; as of its newest record
};

/// Takes blocks of records in order, oldest journal first, then the rows of staging tables.
class Gatherer {
 public:
  Gatherer(const OpRegistry& ops, ValidateInput& into) : ops_(ops), into_(into) {}

  void keep_contents() { hashes_wanted_ = true; }
  void take(JournalBlock&& block) {
    if (block.begins_file) run_id_ = run_id_of_file(block.path);
    for (JournalRecord& record : block.records)
      std::visit([this](auto& r) { take_one(std::move(r)); }, record);
  }
  void take_staged(const std::vector<std::pair<const OpType*, std::string>>& tables) {
    std::sort(contents_.begin(), contents_.end());
    std::unordered_set<uint64_t> seen;  // of rows that no journal has
    for (const auto& [op, path] : tables)
      read_table(*op, {.table = {}, .format = TableFormat::csv, .path = path}, [&](Row&& row) {
        const uint64_t content = content_of(row);
        if (std::binary_search(contents_.begin(), contents_.end(), content) || !seen.insert(content).second)
          return;
        rows_of(*row.c.op).add(
            row, {.run_id = row.quality ? std::string_view(row.quality->run_id) : "", .staged = true});
        if (!recorded_) into_.decided.push_back(case_id(row.c));
      });
    contents_ = {};
  }
  void finish(size_t most_examples) {
    outcomes_.finish(most_examples, into_);
    std::sort(into_.decided.begin(), into_.decided.end());
    into_.decided.erase(std::unique(into_.decided.begin(), into_.decided.end()), into_.decided.end());
    for (CheckedRows& rows : into_.rows) rows.finish();
    std::sort(into_.rows.begin(), into_.rows.end(),
              [](const CheckedRows& a, const CheckedRows& b) { return a.op().info.id < b.op().info.id; });
  }

 private:
  void take_one(RunRecord&& run) {
    run_id_ = run.run_id;
    if (runs_.insert(run.run_id).second) into_.runs.push_back(std::move(run));
  }
  void take_one(CaseRecord&& record) {
    recorded_ = true;
    if (!record.row) {
      const Case c = ops_.parse_case(record.case_text);
      if (record.repro.empty()) record.repro = repro_line(c);
      outcomes_.add(record, c.op);
      return;
    }
    outcomes_.add(record, record.row->c.op);
    if (hashes_wanted_) contents_.push_back(content_of(*record.row));
    rows_of(*record.row->c.op).add(*record.row, {.run_id = run_id_, .suspect = record.suspect});
  }
  void take_one(RerunRecord&& record) {
    record.samples_ms = {};
    into_.reruns.push_back(std::move(record));
  }
  void take_one(BreakerRecord&& record) { into_.breakers.push_back(std::move(record)); }
  void take_one(AuditRecord&&) {}  // follows from the cases: see audited_families.h
  void take_one(EndRecord&& record) { into_.ends[run_id_] = std::move(record); }

  CheckedRows& rows_of(const OpType& op) {
    const auto [at, is_new] = place_of_op_.try_emplace(&op, into_.rows.size());
    if (is_new) into_.rows.emplace_back(op);
    return into_.rows[at->second];
  }
  uint64_t content_of(const Row& row) {
    return hashes_.try_emplace(row.c.op, *row.c.op).first->second.of(row);
  }

  const OpRegistry& ops_;
  ValidateInput& into_;
  NewestOutcomes outcomes_;
  std::string run_id_;
  std::set<std::string> runs_;
  std::map<const OpType*, size_t> place_of_op_;
  std::map<const OpType*, ContentHashes> hashes_;
  std::vector<uint64_t> contents_;  // of rows of journals
  bool hashes_wanted_ = false, recorded_ = false;
};

}  // namespace

ValidateInput read_validate_input(const std::vector<std::string>& folders, const OpRegistry& ops,
                                  size_t most_examples) {
  ValidateInput input;
  const CollectionFiles files = collection_files(folders, ops);
  Gatherer gatherer(ops, input);
  if (!files.staging.empty()) gatherer.keep_contents();
  input.damaged = read_journal_blocks(files.journals, ops,
                                      [&](JournalBlock&& block) { gatherer.take(std::move(block)); });
  gatherer.take_staged(files.staging);
  gatherer.finish(most_examples);
  return input;
}

}  // namespace perfatlas
