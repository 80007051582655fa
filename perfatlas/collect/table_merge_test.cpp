// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/table_merge.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "perfatlas/collect/place_input.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

/// A measurement of one of a few cases by one of a few runs, with one of a few latencies: equal ones happen.
struct Drawn {
  int64_t m = 1;
  int run = 0;
  int latency = 1;
};

class MergeTest : public testing::Test {
 protected:
  MergeTest() { ops_.add(make_op_type<ToyOp>()); }

  const OpType& toy() const { return ops_.get("toy"); }
  Row row(const Drawn& drawn) const {
    Row r{.c = make_case(toy(), ToyOp{.m = drawn.m}),
          .framework = "onednn",
          .measured = {double(drawn.latency)}};
    r.quality = RowQuality{.samples = 1};
    r.quality->run_id = std::to_string(drawn.run);
    return r;
  }
  RowDigest digest(const Row& row) const { return RowDigests(ops_).of(row); }

  OpRegistry ops_;
};

/// The same rules, row by row: of each identity the greatest (run, rank), of equal ones the last in the order history,
/// table, journals; equal measurements count once, with the greatest rank of them.
struct Naive {
  std::map<int64_t, std::tuple<std::string, uint64_t, size_t>> best;  // m -> run, rank, content number
  std::vector<Drawn> contents;
  std::vector<uint64_t> ranks;

  void see(const Drawn& drawn, uint64_t rank) {
    const auto same = std::find_if(contents.begin(), contents.end(), [&](const Drawn& d) {
      return std::tie(d.m, d.run, d.latency) == std::tie(drawn.m, drawn.run, drawn.latency);
    });
    const auto i = size_t(same - contents.begin());
    if (same == contents.end()) {
      contents.push_back(drawn);
      ranks.push_back(rank);
    }
    ranks[i] = std::max(ranks[i], rank);
  }
  void choose() {
    for (size_t i = 0; i < contents.size(); ++i) {
      const std::tuple candidate(std::to_string(contents[i].run), ranks[i], i);
      auto& winner = best.try_emplace(contents[i].m, candidate).first->second;
      winner = std::max(winner, candidate);
    }
  }
};

TEST_F(MergeTest, ChoosesAsTheRulesSayOnAnyMixOfSources) {
  EXPECT_TRUE(rc::check([this] {
    const auto draw = [] {
      std::vector<Drawn> drawn;
      const int count = *rc::gen::inRange(0, 12);
      for (int i = 0; i < count; ++i)
        drawn.push_back({*rc::gen::inRange<int64_t>(1, 4), *rc::gen::inRange(0, 3), *rc::gen::inRange(1, 3)});
      return drawn;
    };
    const auto recorded = draw(), history = draw(), placed = draw();
    Measurements all(toy());
    Naive naive;
    uint64_t sequence = 0;
    for (const Drawn& d : recorded) {
      const Row r = row(d);
      all.add_recorded(r, digest(r), r.quality->run_id, ++sequence);
    }
    for (const Drawn& d : history) all.add_history(row(d), digest(row(d)));
    for (const Drawn& d : placed) all.add_placed(row(d), digest(row(d)));
    for (const Drawn& d : history) naive.see(d, 0);
    for (const Drawn& d : placed) naive.see(d, 1);
    for (size_t i = 0; i < recorded.size(); ++i) naive.see(recorded[i], 4 + i);
    naive.choose();

    const MergedTable merged = all.merge();
    RC_ASSERT(merged.rows.size() == naive.best.size());
    RC_ASSERT(merged.rows.size() + merged.history.size() == naive.contents.size());
    Row got;
    auto next = naive.best.begin();
    for (const uint32_t i : merged.rows) {
      all.rows().get(i, got);
      const size_t expected = std::get<2>((next++)->second);
      RC_ASSERT(got == row(naive.contents[expected]));
    }
  }));
}

TEST_F(MergeTest, OfRowsOfOneRunThatNobodyKnowsTheOrderOfTheLastStandsAndIsToldWithTheOther) {
  const Row first = row({1, 1, 1}), last = row({1, 1, 2}), newer = row({2, 2, 1}), older = row({2, 1, 2});
  Measurements all(toy());
  for (const Row* r : {&first, &last, &newer, &older}) all.add_staged(*r, digest(*r));
  const MergedTable merged = all.merge();
  EXPECT_EQ(merged.rows, (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(merged.undecided, (std::vector<std::pair<uint32_t, uint32_t>>{{1, 0}}));

  Measurements recorded(toy());
  recorded.add_recorded(first, digest(first), "1", 1);
  recorded.add_recorded(last, digest(last), "1", 2);
  EXPECT_TRUE(recorded.merge().undecided.empty()) << "the journal knows";
}

TEST_F(MergeTest, TellsNewFromReplacedAndUnchangedFromChanged) {
  const Row a = row({1, 1, 1}), b = row({2, 1, 1}), newer_b = row({2, 2, 2}), c = row({3, 2, 1});
  Measurements all(toy());
  all.add_recorded(newer_b, digest(newer_b), "2", 1);
  all.add_staged(c, digest(c));
  all.add_placed(a, digest(a));
  all.add_placed(b, digest(b));
  const MergedTable merged = all.merge();
  EXPECT_EQ(merged.added, 1u);
  EXPECT_EQ(merged.replaced, 1u);
  EXPECT_EQ(merged.rows, (std::vector<uint32_t>{2, 0, 1}));
  EXPECT_EQ(merged.history, std::vector<uint32_t>{3});
  EXPECT_TRUE(merged.rows_changed && merged.history_changed);

  Measurements again(toy());
  again.add_recorded(newer_b, digest(newer_b), "2", 1);
  again.add_history(b, digest(b));
  for (const Row* r : {&a, &newer_b, &c}) again.add_placed(*r, digest(*r));
  const MergedTable same = again.merge();
  EXPECT_FALSE(same.rows_changed || same.history_changed);
  EXPECT_EQ(same.added + same.replaced, 0u);
}

}  // namespace
}  // namespace perfatlas
