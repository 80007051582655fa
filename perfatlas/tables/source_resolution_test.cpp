// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/published_tree_test.h"
#include "perfatlas/tables/reuse.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kOneRow = {"k,bfloat16,1,32,32,1.0"};

/// "primary vllm 0.24.0" for each source of a table.
std::vector<std::string> sources(const PublishedTree& tree, const TableRequest& request,
                                 const std::string& table = "gemm_perf") {
  constexpr const char* kChannels[] = {"primary", "donor", "earlier", "sibling"};
  const OpRegistry ops = all_ops();
  std::vector<std::string> texts;
  for (const TableSource& source :
       SystemsRoot(tree.path(), ops, plain_options()).sources_of(request, table)) {
    std::string text =
        std::string(kChannels[size_t(source.channel)]) + " " + source.backend + " " + source.version;
    for (const std::string& kernel : source.kernels) text += " " + kernel;
    texts.push_back(text);
  }
  return texts;
}

constexpr const char* kBorrows =
    "reuse:\n- {table: gemm_perf, from_version: 0.27.0, reason: r, approved_by: a}\n"
    "- {table: moe_perf, from_version: 0.9.0, reason: r, approved_by: a}\n"
    "- {table: gemm_perf, from_version: 0.27.0, reason: r, approved_by: a}\n";

TEST(Sources, PrimaryThenDonorsThenEarlierVersionsNearestFirstThenSiblings) {
  PublishedTree tree;
  tree.put_system("s");
  for (const char* const version : {"0.9.0", "0.10.0", "0.24.0", "0.27.0", "0.26.0", "main"})
    tree.put_gemm("s/gemm/vllm/" + std::string(version), kOneRow);
  tree.put("data/s/gemm/vllm/0.24.0/reuse.yaml", kBorrows);
  tree.put_gemm("s/gemm/trtllm/1.0.0", kOneRow);
  tree.put_gemm("s/gemm/trtllm/1.1.0rc1", kOneRow);
  tree.put_gemm("s/gemm/sglang/0.5.0", kOneRow);
  tree.put(
      "perf_data_reuse_manifest.yaml",
      "groups:\n"
      "- {op_file: gemm_perf.parquet, kernel_source: a, tier: shared, frameworks: [trtllm, vllm]}\n"
      "- {op_file: gemm_perf.parquet, kernel_source: b, tier: shared_fallback, frameworks: [trtllm, vllm]}\n"
      "- {op_file: gemm_perf.parquet, kernel_source: c, tier: absence_load_bearing, frameworks: [sglang, "
      "vllm]}\n"
      "- {op_file: gemm_perf.parquet, kernel_source: d, tier: shared, frameworks: [sglang, trtllm]}\n"
      "- {op_file: moe_perf.parquet, kernel_source: e, tier: shared, frameworks: [sglang, vllm]}\n");
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}),
              ElementsAre("primary vllm 0.24.0", "donor vllm 0.27.0", "earlier vllm 0.10.0",
                          "earlier vllm 0.9.0", "sibling trtllm 1.1.0rc1 a b", "sibling trtllm 1.0.0 a b"));
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::off}), ElementsAre("primary vllm 0.24.0"));
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.25.0", SharedLayer::off}), IsEmpty());
  EXPECT_THAT(sources(tree, {"s", "vllm", "main", SharedLayer::on}),
              ElementsAre("primary vllm main", "sibling trtllm 1.1.0rc1 a b", "sibling trtllm 1.0.0 a b"))
      << "nothing is earlier than a name that is no version";
}

TEST(Sources, TheManifestIsKeptAndReadAgainWhenItChanges) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", kOneRow);
  tree.put_gemm("s/gemm/trtllm/1.0", kOneRow);
  const auto put_manifest = [&](const std::string& kernel) {
    tree.put("perf_data_reuse_manifest.yaml", "groups:\n- {op_file: gemm_perf.parquet, kernel_source: " +
                                                  kernel + ", tier: shared, frameworks: [trtllm, vllm]}\n");
  };
  const TemporaryFolder cache;
  const auto kernels = [&] {
    const OpRegistry ops = all_ops();
    const SystemsRoot root(tree.path(), ops, plain_options(cache.path()));
    return root.sources_of({"s", "vllm", "2.0", SharedLayer::on}, "gemm_perf").back().kernels;
  };
  put_manifest("a");
  for (int process = 0; process < 2; ++process) EXPECT_THAT(kernels(), ElementsAre("a"));
  put_manifest("longer");
  EXPECT_THAT(kernels(), ElementsAre("longer"));
  put_manifest("\"a\\tb\"");
  for (int process = 0; process < 2; ++process) EXPECT_THAT(kernels(), ElementsAre("a\tb"));
}

TEST(Sources, BothLayoutsAreReadAndParquetCountsBeforeCsv) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/vllm/0.24.0", kOneRow);
  tree.put_gemm("s/gemm/vllm/0.23.0", kOneRow);
  tree.put_gemm("s/gemm/vllm/history/0.22.0", kOneRow);
  tree.put("data/s/vllm/0.24.0/gemm_perf.parquet", "x");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  const auto found = root.sources_of({"s", "vllm", "0.24.0", SharedLayer::on}, "gemm_perf");
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].path, "data/s/vllm/0.24.0/gemm_perf.parquet");
  EXPECT_EQ(found[1].path, "data/s/gemm/vllm/0.23.0/gemm_perf.txt");
}

TEST(Sources, LinksAreFilledByEarlierVersionsAlone) {
  PublishedTree tree;
  tree.put_system("s");
  const std::string text =
      "kernel_source,allreduce_dtype,num_gpus,message_size,latency\nk,bfloat16,2,128,1.0\n";
  tree.put("data/s/comm/vllm/0.22.0/custom_allreduce_perf.txt", text);
  tree.put("data/s/comm/vllm/0.27.0/custom_allreduce_perf.txt", text);
  tree.put("data/s/comm/vllm/0.24.0/reuse.yaml",
           "reuse:\n- {table: custom_allreduce_perf, from_version: 0.27.0, reason: r, approved_by: a}\n");
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}, "custom_allreduce_perf"),
              ElementsAre("earlier vllm 0.22.0"));
  tree.put("data/s/other/vllm/0.20.0/custom_allreduce_perf.txt", text);
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}, "custom_allreduce_perf"), IsEmpty())
      << "of which family it is cannot be told";
}

TEST(Sources, CollectivesComeFromTheLibraryVersionOfTheDescription) {
  PublishedTree tree;
  tree.put_system("s", ", nccl_version: '2.23', oneccl_version: '2021.1'");
  const std::string text = "op_name,nccl_dtype,num_gpus,message_size,latency\nall_reduce,half,2,128,1.0\n";
  tree.put("data/s/comm/nccl/2.23/nccl_perf.txt", text);
  tree.put("data/s/comm/nccl/2.29/nccl_perf.txt", text);
  tree.put("data/s/comm/oneccl/2021.1/oneccl_perf.txt",
           "op_name,nccl_dtype,num_gpus,message_size,latency\nall_reduce,half,2,256,2.0\nall_reduce,half,4,"
           "128,3.0\n");
  tree.put_gemm("s/gemm/vllm/0.24.0", kOneRow);
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}, "nccl_perf"),
              ElementsAre("primary nccl 2.23"));
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_THAT(root.backends("s"), ElementsAre("vllm"));
  const auto rows = root.table_rows(ops.get("collective"), {"s", "vllm", "0.24.0", SharedLayer::on});
  ASSERT_EQ(rows->size(), 2) << "oneCCL answers for 4 ranks, which NCCL has not, but not for 2";
  EXPECT_EQ(rows->latency_ms(1), 3.0);
}

TEST(Sources, AFolderThatIsMarkedIncompleteDoesNotCount) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/0.24.0", kOneRow);
  tree.put("data/s/gemm/vllm/0.24.0/INCOMPLETE.txt", "");
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}), IsEmpty());
  tree.put("data/s/gemm/vllm/0.24.0/collection_meta.yaml", "schema_version: 1\n");
  EXPECT_THAT(sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}), ElementsAre("primary vllm 0.24.0"));
}

TEST(Sources, StrictProvenanceNeedsASidecarThatSpeaksOfTheTable) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/0.24.0", kOneRow);
  SystemsRootOptions strict = plain_options();
  strict.strict_provenance = true;
  const OpRegistry ops = all_ops();
  const auto refused = [&] {
    const SystemsRoot root(tree.path(), ops, strict);
    return refusal([&] { (void)root.sources_of({"s", "vllm", "0.24.0", SharedLayer::on}, "gemm_perf"); });
  };
  EXPECT_THAT(refused(), HasSubstr("collection_meta.yaml: is missing"));
  tree.put("data/s/gemm/vllm/0.24.0/collection_meta.yaml", "provenance: collected\n");
  EXPECT_THAT(refused(), HasSubstr("does not speak of gemm_perf"));
  tree.put("data/s/gemm/vllm/0.24.0/collection_meta.yaml", "provenance: legacy\n");
  EXPECT_EQ(refused(), "");
  tree.put("data/s/gemm/vllm/0.24.0/collection_meta.yaml",
           "schema_version: 2\nprovenance: collected\ntables: {gemm_perf: {status: complete}}\n");
  EXPECT_EQ(refused(), "");
}

TEST(Sources, AWrongReuseFileIsNamed) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/0.24.0", kOneRow);
  const auto refused = [&](const std::string& text) {
    tree.put("data/s/gemm/vllm/0.24.0/reuse.yaml", text);
    return refusal([&] { (void)sources(tree, {"s", "vllm", "0.24.0", SharedLayer::on}); });
  };
  EXPECT_THAT(refused("schema_version: 1\n"), HasSubstr("vllm/0.24.0/reuse.yaml: the key reuse is missing"));
  EXPECT_THAT(refused("reuse:\n- {table: gemm_perf, from_version: 1, reason: r}\n"),
              HasSubstr("reuse[0]: the key approved_by is missing"));
  EXPECT_THAT(refused("reuse:\n- {table: gemm_perf, from_version: 1, reason: '', approved_by: a}\n"),
              HasSubstr("reuse[0].reason: it is empty"));
  EXPECT_EQ(refused("reuse: []\n"), "");
}

}  // namespace
}  // namespace perfatlas
