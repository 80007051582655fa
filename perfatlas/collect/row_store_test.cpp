// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/row_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

TEST(RowStore, GivesBackEveryRowAsItWas) {
  const OpType toy = make_op_type<ToyOp>(), steps = make_op_type<ToySteps>();
  for (const OpType* op : {&toy, &steps}) {
    RandomRows random(1);
    RowStore store(*op);
    std::vector<Row> rows;
    for (int i = 0; i < 1000; ++i) {
      rows.push_back(random.next(*op));
      store.add(rows.back(), i % 3 == 0 ? "a" : "b");
    }
    store.finish();
    Row row = random.next(*op);
    for (size_t i = 0; i < rows.size(); ++i) {
      store.get(i, row);
      EXPECT_EQ(row, rows[i]);
      EXPECT_EQ(store.run_id(i), i % 3 == 0 ? "a" : "b");
    }
  }
}

TEST(RowStore, SortsByFieldsWithSymbolsByTextThenKernelStateRunAndTie) {
  const OpType op = make_op_type<ToyOp>();
  const auto row = [&](int64_t m, std::string_view model, std::string kernel,
                       std::optional<CacheState> cache) {
    Row r{.c = make_case(op, ToyOp{.m = m, .model = Symbol(model)}),
          .kernel_source = std::move(kernel),
          .measured = {1}};
    if (cache) r.quality = RowQuality{.cache_state = *cache};
    return r;
  };
  using enum CacheState;
  (void)Symbol("later text made first");
  // Adjacent rows differ in one thing only, the last two in nothing but the tie.
  const std::vector<std::pair<Row, std::string>> ordered = {
      {row(1, "z", "k", hot), "r"},          {row(2, "later text", "k", hot), "r"},
      {row(2, "made first", "k", hot), "r"}, {row(3, "", "k", std::nullopt), "r"},
      {row(3, "", "k", serving), "r"},       {row(3, "", "k", hot), "r"},
      {row(3, "", "l", serving), "r"},       {row(3, "", "l", serving), "s"},
      {row(3, "", "l", serving), "s"}};
  std::vector<uint32_t> order(ordered.size());
  std::iota(order.begin(), order.end(), 0u);
  do {
    RowStore store(op);
    std::vector<uint64_t> tie;
    for (const uint32_t i : order) {
      store.add(ordered[i].first, ordered[i].second);
      tie.push_back(i);
    }
    store.finish();
    std::vector<uint32_t> rows(order.size());
    std::iota(rows.begin(), rows.end(), 0u);
    store.sort(rows, tie);
    for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(order[rows[i]], i);
    std::rotate(order.begin(), order.begin() + 1, order.end());
  } while (order.front() != 0);
}

TEST(RowStore, SortsByFieldsThatDoNotFitIntoOneNumber) {
  const OpType op = make_op_type<ToySteps>();
  RowStore store(op);
  std::vector<Row> rows;
  RandomRows random(3);
  for (int i = 0; i < 3000; ++i) {
    rows.push_back(random.next(op));
    rows.back().kernel_source = std::to_string(i * 7919 % 3000);
    store.add(rows.back(), std::to_string(i * 104729 % 3000));
  }
  store.finish();
  std::vector<uint32_t> sorted(rows.size());
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::vector<uint64_t> tie(rows.size(), 0);
  store.sort(sorted, tie);
  const auto key = [&](uint32_t i) {
    const auto& f = op.fields;
    const auto& v = rows[i].c.values;
    return std::tuple(f[0].format(v[0]), v[1], f[2].format(v[2]), rows[i].kernel_source);
  };
  EXPECT_TRUE(
      std::is_sorted(sorted.begin(), sorted.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); }));
}

}  // namespace
}  // namespace perfatlas
