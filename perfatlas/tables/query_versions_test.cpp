// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/query_versions.h"

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(QueryVersions, TuplesOrderCandidatesBeforeReleases) {
  EXPECT_EQ(version_tuple("1.3.0rc20"), (std::vector<int64_t>{1, 3, 0, 0, 20, 0}));
  EXPECT_EQ(version_tuple("0.5.6.post2"), (std::vector<int64_t>{0, 5, 6, 1, 0, 2}));
  EXPECT_EQ(version_tuple("2.27"), (std::vector<int64_t>{2, 27, 0, 1, 0, 0}));
  EXPECT_LT(version_tuple("1.3.0rc23"), version_tuple("1.3.0"));
  EXPECT_LT(version_tuple("1.3.0rc9"), version_tuple("1.3.0rc10"));
  EXPECT_EQ(version_tuple("main"), std::nullopt);
}

TEST(QueryVersions, LeadingIntegersStopAtTheFirstSuffix) {
  EXPECT_THAT(leading_integers("1.3.0rc23"), ElementsAre(1, 3, 0));
  EXPECT_THAT(leading_integers("0.5.6.post2"), ElementsAre(0, 5, 6));
  EXPECT_THAT(leading_integers("x"), ElementsAre());
}

/// Systems "big" and "small", the latter with versions of its own.
PublishedTree slotted_tree() {
  PublishedTree tree;
  tree.put_system("big");
  tree.put_system("small");
  for (const char* const folder : {"big/gemm/vllm/0.22.0", "big/gemm/vllm/0.24.0", "small/gemm/vllm/0.30.0"})
    tree.put_gemm(folder, {"k,bfloat16,1,32,32,1.0"});
  tree.put("data/big/moe/vllm/0.28.0/reuse.yaml", "schema_version: 1\nreuse: []\n");
  tree.put(
      "query_versions.yaml",
      "defaults:\n  vllm: {current: '0.24.0', previous: null}\noverrides:\n  small:\n    vllm: {current: "
      "'0.30.0', previous: '0.20.0'}\n");
  return tree;
}

TEST(QueryVersions, NextIsTheNewestWithTablesOnAnySystemThatIsNotOverridden) {
  const PublishedTree tree = slotted_tree();
  const OpRegistry ops = all_ops();
  EXPECT_EQ(SystemsRoot(tree.path(), ops, plain_options()).slots("big", "vllm"),
            (VersionSlots{"0.24.0", {}, {}}))
      << "0.28.0 only borrows, 0.30.0 is of an overridden system";
  tree.put_system("third");
  tree.put_gemm("third/gemm/vllm/0.27.0", {"k,bfloat16,1,32,32,1.0"});
  tree.put_gemm("third/gemm/vllm/0.26.0", {"k,bfloat16,1,32,32,1.0"});
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_EQ(root.slots("big", "vllm").next, "0.27.0");
  EXPECT_EQ(root.slots("small", "vllm"), (VersionSlots{"0.30.0", "0.20.0", {}}));
  EXPECT_EQ(root.slots("big", "sglang"), VersionSlots{}) << "a back end without folders has no slots";
}

TEST(QueryVersions, OnlySlotsCanBeAskedFor) {
  const PublishedTree tree = slotted_tree();
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_EQ(root.resolve_version("big", "vllm", ""), "0.24.0");
  EXPECT_EQ(root.resolve_version("big", "vllm", "current"), "0.24.0");
  EXPECT_EQ(root.resolve_version("small", "vllm", "previous"), "0.20.0");
  EXPECT_THAT(refusal([&] { (void)root.resolve_version("big", "vllm", "0.22.0"); }),
              HasSubstr("version '0.22.0' of vllm cannot be asked for on big: there are current (0.24.0)"));
  EXPECT_THAT(refusal([&] { (void)root.resolve_version("big", "vllm", "next"); }), HasSubstr("'next'"));
  EXPECT_THAT(refusal([&] { (void)root.resolve_version("big", "trtllm", ""); }),
              HasSubstr("big has no tables of back end 'trtllm'; there are vllm"));
  EXPECT_THAT(refusal([&] { (void)root.resolve_version("bigg", "vllm", ""); }),
              HasSubstr("there is no system 'bigg'; there are big and small"));
  SystemsRootOptions any = plain_options();
  any.allow_unlisted_versions = true;
  EXPECT_EQ(SystemsRoot(tree.path(), ops, any).resolve_version("big", "vllm", "0.22.0"), "0.22.0");
  EXPECT_THAT(
      refusal([&] { (void)SystemsRoot(tree.path(), ops, any).resolve_version("big", "vllm", "0.22.1"); }),
      HasSubstr("has no version '0.22.1' of vllm; there are"));
}

TEST(QueryVersions, WithoutTheFileEveryVersionCanBeAskedForAndTheNewestWithTablesIsTheDefault) {
  const PublishedTree tree = slotted_tree();
  tree.remove("query_versions.yaml");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_THAT(root.versions("big", "vllm"), ElementsAre("0.22.0", "0.24.0", "0.28.0"));
  EXPECT_TRUE(root.is_marker_version("big", "vllm", "0.28.0"));
  EXPECT_EQ(root.resolve_version("big", "vllm", ""), "0.24.0")
      << "a version that only borrows is never the latest";
  EXPECT_EQ(root.resolve_version("big", "vllm", "0.28.0"), "0.28.0");
  EXPECT_THAT(refusal([&] { (void)root.resolve_version("big", "vllm", "1"); }),
              HasSubstr("there are 0.22.0, 0.24.0 and 0.28.0"));
}

TEST(Versions, TheOldMarkerBorrowsAndIncompleteFoldersAreNone) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/1.0", {"k,bfloat16,8,16,32,1"});
  tree.put_gemm("s/gemm/vllm/1.5", {"k,bfloat16,8,16,32,2"});
  tree.put("data/s/gemm/vllm/1.5/INCOMPLETE.txt", "");
  tree.put("data/s/gemm/vllm/2.0/SHARED_LAYER_REUSE.txt", "");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_THAT(root.versions("s", "vllm"), testing::ElementsAre("1.0", "2.0"));
  EXPECT_TRUE(root.is_marker_version("s", "vllm", "2.0"));
  EXPECT_EQ(root.resolve_version("s", "vllm", ""), "1.0")
      << "a version that only borrows is never the latest";
  EXPECT_EQ(root.resolve_version("s", "vllm", "2.0"), "2.0");
  EXPECT_EQ(root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0"})->latency_ms(0), 1);
}

TEST(AttentionLanes, TheNewestEntryThatIsNotNewerCounts) {
  const PublishedTree tree = slotted_tree();
  tree.put("attention_lane_defaults.yaml",
           "vllm:\n  '0.22.0': {90: old}\n  '0.24.0':\n    90: fa3\n    100: triton\n");
  const OpRegistry ops = all_ops();
  const RootSource root(tree.path(), ops, {.cache = ""});
  EXPECT_EQ(root.default_attention_lane("vllm", "0.24.0", 90), "fa3");
  EXPECT_EQ(root.default_attention_lane("vllm", "0.27.0rc1", 100), "triton");
  EXPECT_EQ(root.default_attention_lane("vllm", "0.23.9", 90), "old");
  EXPECT_EQ(root.default_attention_lane("vllm", "0.24.0", 120), std::nullopt);
  EXPECT_EQ(root.default_attention_lane("vllm", "0.21.0", 90), std::nullopt);
  EXPECT_EQ(root.default_attention_lane("trtllm", "1.0.0", 90), std::nullopt);
}

}  // namespace
}  // namespace perfatlas
