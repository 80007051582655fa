// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/checked_rows.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

const OpType& toy() {
  static const OpType op = make_op_type<ToyOp>();
  return op;
}

Row row(int64_t m, double latency, CacheState cache = CacheState::serving) {
  Row r{.c = {&toy(), make_case(toy(), ToyOp{.m = m}).values}, .framework = "onednn"};
  r.kernel_source = "jit";
  r.measured = {latency};
  r.quality = RowQuality{.rel_ci95 = 0.25, .cache_state = cache, .launch = LaunchMode::graph};
  r.quality->efficiency = 0.5;
  r.quality->seed = ~uint64_t{0};
  return r;
}

TEST(CheckedRows, GiveBackWhatChecksLookAt) {
  CheckedRows rows(toy());
  Row wanted = row(7, 3.5, CacheState::cold);
  wanted.quality->throttled = true;
  rows.add(wanted, {.run_id = "1", .suspect = true});
  Row bare = row(8, 4);
  bare.quality.reset();
  rows.add(bare, {});
  rows.finish();
  ASSERT_EQ(rows.size(), 2u);
  Row got;
  rows.get(0, got);
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(rows.values(0), wanted.c.values);
  EXPECT_TRUE(rows.suspect(0));
  rows.get(1, got);
  EXPECT_EQ(got, bare);
  EXPECT_FALSE(rows.suspect(1));
  EXPECT_NE(rows.state(0), rows.state(1));
  EXPECT_EQ(rows.kernel_code(0), rows.kernel_code(1));
}

TEST(CheckedRows, ARecordBeatsAStagedRowOfItsRunAndALaterRunBeatsBoth) {
  const auto newest = [](const char* staged_run) {
    CheckedRows rows(toy());
    rows.add(row(1, 10), {.run_id = "2026-1"});
    rows.add(row(1, 20), {.run_id = staged_run, .staged = true});
    rows.finish();
    EXPECT_EQ(rows.size(), 1u);
    return rows.latency_ms(0);
  };
  EXPECT_EQ(newest("2026-1"), 10);
  EXPECT_EQ(newest("2026-0"), 10);
  EXPECT_EQ(newest("2026-2"), 20);
}

RC_GTEST_PROP(CheckedRows, KeepTheLastRecordOfEachIdentityInTheirOrder, (const std::vector<uint8_t>& sizes)) {
  CheckedRows rows(toy());
  std::map<int64_t, double> last;
  double latency = 0;
  for (const uint8_t size : sizes) {
    const int64_t m = 1 + size % 16;
    rows.add(row(m, ++latency), {.run_id = "1"});
    last[m] = latency;
  }
  rows.finish();
  RC_ASSERT(rows.size() == last.size());
  Row got;
  for (size_t i = 0; i < rows.size(); ++i) {
    rows.get(i, got);
    RC_ASSERT(rows.latency_ms(i) == last.at(got.c.values[*toy().find_field("m")]));
    if (i > 0) RC_ASSERT(rows.latency_ms(i - 1) < rows.latency_ms(i));
  }
}

}  // namespace
}  // namespace perfatlas
