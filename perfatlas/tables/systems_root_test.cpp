// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/systems_root.h"

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Two databases: the first one's versions lie beside or over those of the second.
class TwoSources : public testing::Test {
 protected:
  TwoSources() {
    own_.put_system("h1");
    own_.put_system("mine");
    own_.put_gemm("h1/gemm/vllm/9.0", {"k,bfloat16,8,16,32,9"});
    own_.put_gemm("mine/gemm/vllm/1.0", {"k,bfloat16,8,16,32,7"});
    published_.put_system("h1");
    published_.put_system("h2");
    published_.put_gemm("h1/gemm/vllm/1.0", {"k,bfloat16,8,16,32,1", "k,bfloat16,16,16,32,2"});
    published_.put_gemm("h1/gemm/vllm/9.0", {"k,bfloat16,8,16,32,90"});
    published_.put_gemm("h2/gemm/trtllm/1.0", {"k,bfloat16,8,16,32,3"});
  }

  SystemsRoot open() const { return {{own_.path(), published_.path()}, ops_, plain_options()}; }
  double first_ms(const SystemsRoot& root, const TableRequest& request) const {
    return root.table_rows(ops_.get("gemm"), request)->latency_ms(0);
  }

  OpRegistry ops_ = all_ops();
  PublishedTree own_, published_;
};

TEST_F(TwoSources, KnowEachOthersSystemsBackEndsAndVersions) {
  const SystemsRoot root = open();
  EXPECT_THAT(root.systems(), ElementsAre("h1", "h2", "mine"));
  EXPECT_THAT(root.versions("h1", "vllm"), ElementsAre("1.0", "9.0"));
  EXPECT_THAT(root.backends("h2"), ElementsAre("trtllm"));
}

TEST_F(TwoSources, EarlierOnesWin) {
  const SystemsRoot root = open();
  EXPECT_EQ(first_ms(root, {"h1", "vllm", "9.0"}), 9);
  EXPECT_EQ(root.source_of({"h1", "vllm", "9.0"}).path(), own_.path());
  EXPECT_EQ(first_ms(root, {"mine", "vllm", "1.0"}), 7);
}

TEST_F(TwoSources, AreNotMixedWithinOneVersion) {
  const SystemsRoot root = open();
  // 1.0 of the second source would fill m=16; it is not asked.
  EXPECT_EQ(root.table_rows(ops_.get("gemm"), {"h1", "vllm", "9.0"})->size(), 1U);
  EXPECT_EQ(root.table_rows(ops_.get("gemm"), {"h1", "vllm", "1.0"})->size(), 2U);
}

TEST_F(TwoSources, AVersionOfALaterOneComesWithItsDescription) {
  own_.put("h1.yaml",
           "data_dir: data/h1\ngpu: {mem_bw: 5e12}\n"
           "node: {num_gpus_per_node: 8, intra_node_bw: 4e11, inter_node_bw: 5e10}\n");
  const SystemsRoot root = open();
  EXPECT_EQ(root.system_of({"h1", "vllm", "9.0"}).mem_bw, 5e12);
  EXPECT_EQ(root.system_of({"h1", "vllm", "1.0"}).mem_bw, 1e12);
  EXPECT_EQ(root.system("h1").mem_bw, 5e12);
}

TEST_F(TwoSources, AVersionThatIsIncompleteInTheFirstIsReadFromTheSecond) {
  own_.put("data/h1/gemm/vllm/9.0/INCOMPLETE.txt", "");
  const SystemsRoot root = open();
  EXPECT_EQ(first_ms(root, {"h1", "vllm", "9.0"}), 90);
}

TEST_F(TwoSources, LanesComeFromTheOneThatAnswersElseFromTheFirstThatHasThem) {
  published_.put("attention_lane_defaults.yaml", "vllm: {1.0: {90: theirs}}\n");
  EXPECT_EQ(open().default_attention_lane({"mine", "vllm", "1.0"}, 90), "theirs");
  own_.put("attention_lane_defaults.yaml", "vllm: {1.0: {90: ours}}\n");
  EXPECT_EQ(open().default_attention_lane({"mine", "vllm", "1.0"}, 90), "ours");
  EXPECT_EQ(open().default_attention_lane({"h1", "vllm", "1.0"}, 90), "theirs");
}

TEST_F(TwoSources, SlotsOfTheFirstFileHoldForAll) {
  published_.put("query_versions.yaml", "defaults: {vllm: {current: '1.0'}}\n");
  const SystemsRoot root = open();
  EXPECT_EQ(root.resolve_version("h1", "vllm", ""), "1.0");
  EXPECT_EQ(root.slots("mine", "vllm").next, "9.0");
}

TEST_F(TwoSources, ABrokenDescriptionDoesNotHideTheNextVersionOfOthers) {
  published_.put("query_versions.yaml", "defaults: {vllm: {current: '1.0'}}\n");
  published_.put("h2.yaml", "data_dir: [");
  EXPECT_EQ(open().slots("h1", "vllm").next, "9.0");
}

TEST_F(TwoSources, EveryOneThatCannotBeUsedIsNamed) {
  const PublishedTree empty;
  const std::string gone = empty.path() + "/gone";
  const std::string said = refusal([&] {
    const SystemsRoot root({gone, published_.path(), empty.path()}, ops_, plain_options());
  });
  EXPECT_THAT(said, AllOf(HasSubstr(gone + ": there is no such file or folder"),
                          HasSubstr(empty.path() + ": there are no system descriptions")));
}

}  // namespace
}  // namespace perfatlas
