// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_comparison.h"

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<TableComparison> compare(const PublishedTree& first, const PublishedTree& second,
                                     const ComparisonOptions& options) {
  const OpRegistry ops = all_ops();
  return compare_with_system(open_data_folder(first.path()), open_data_folder(second.path()), ops, options);
}

PublishedTree with_gemm(const std::string& system, const std::string& place,
                        const std::vector<std::string>& rows) {
  PublishedTree tree;
  tree.put_system(system);
  tree.put_gemm(place, rows);
  return tree;
}

TEST(TableComparison, TakesTheFastestRowsOfKeysThatBothHaveWhateverSystemBackEndAndKernel) {
  const PublishedTree own =
      with_gemm("here", "here/gemm/vllm/2.0",
                {"a,fp8,1,2,3,2", "b,fp8,1,2,3,1", "a,fp8,2,2,3,1", "a,fp8,4,2,3,8", "a,fp8,64,2,3,9"});
  const PublishedTree published = with_gemm(
      "s", "s/gemm/trtllm/1.0", {"x,fp8,1,2,3,2", "x,fp8,2,2,3,1", "x,fp8,4,2,3,2", "y,fp8,4,2,3,4"});
  const auto all = compare(own, published, {.system = "s", .op = {}});
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all[0].op, "gemm");
  EXPECT_EQ(all[0].first, "here/vllm/2.0");
  EXPECT_EQ(all[0].second, "s/trtllm/1.0");
  EXPECT_EQ(all[0].problem, "");
  EXPECT_EQ(all[0].keys, 3);  // 1 over 2, 1 over 1, 8 over 2
  EXPECT_DOUBLE_EQ(all[0].p10, 0.5);
  EXPECT_DOUBLE_EQ(all[0].p50, 1);
  EXPECT_DOUBLE_EQ(all[0].p90, 4);
  EXPECT_DOUBLE_EQ(all[0].lowest, 0.5);
  EXPECT_THAT(all[0].lowest_case, HasSubstr("gemm gemm_dtype=fp8 m=1 n=2 k=3"));
  EXPECT_DOUBLE_EQ(all[0].highest, 4);
  EXPECT_THAT(all[0].highest_case, HasSubstr("m=4"));
}

TEST(TableComparison, NoKeyInCommonHasNoFiguresAndAnUnreadableTableItsReason) {
  const PublishedTree own = with_gemm("here", "here/gemm/vllm/2.0", {"a,fp8,1,2,3,2"});
  const PublishedTree other = with_gemm("s", "s/gemm/trtllm/1.0", {"x,fp8,7,2,3,2"});
  EXPECT_EQ(compare(own, other, {.system = "s", .op = {}}).at(0).keys, 0);
  const PublishedTree broken = with_gemm("s", "s/gemm/trtllm/1.0", {"x,fp9,7,2,3,2"});
  EXPECT_THAT(compare(own, broken, {.system = "s", .op = {}}).at(0).problem, HasSubstr("fp9"));
  EXPECT_TRUE(compare(own, other, {.system = "s", .op = "moe"}).empty());
}

TEST(TableComparison, ASystemWithoutTablesIsNamed) {
  const PublishedTree own = with_gemm("here", "here/gemm/vllm/2.0", {"a,fp8,1,2,3,2"});
  EXPECT_THAT([&] { compare(own, own, {.system = "h200", .op = {}}); },
              ThrowsMessage<UsageError>(HasSubstr("no tables of system h200")));
}

}  // namespace
}  // namespace perfatlas
