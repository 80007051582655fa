// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/import.h"

#include "perfatlas/tables/data_check.h"
#include "perfatlas/tables/published_tree_test.h"
#include "perfatlas/tables/table_diff.h"
#include "perfatlas/tables/table_summary.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

PublishedTree two_systems() {
  PublishedTree tree;
  for (const char* const name : {"s", "t"}) {
    tree.put_system(name);
    tree.put_gemm(std::string(name) + "/gemm/vllm/2.0", {"a,fp8,1,2,3,0.5", "a,fp8,2,2,3,0.75"});
  }
  tree.put("data/s/gemm/vllm/2.0/collection_meta.yaml",
           "schema_version: 1\nprovenance: collected\ntables: {gemm_perf: {rows: 2, status: complete}}\n");
  tree.put("data/s/gemm/vllm/2.0/errors_gemm.json", "[]");
  tree.put("query_versions.yaml", "defaults: {vllm: {current: '2.0'}}\n");
  tree.put("LICENSE", "licence of the source\n");
  return tree;
}

ImportReport import_all(const std::string& from, const std::string& into,
                        std::vector<std::string> systems = {}) {
  const OpRegistry ops = all_ops();
  return import_systems(RootSource(from, ops, {.cache = ""}),
                        {.systems = std::move(systems), .into = into, .licence = "own licence\n"}, {});
}

TEST(Import, TakesOverTablesSidecarsAndLicenceUnchanged) {
  const PublishedTree tree = two_systems();
  const TemporaryFolder folder;
  const std::string into = folder / "published";
  const ImportReport report = import_all(tree.path(), into);
  EXPECT_EQ(report.files, report.copied);
  EXPECT_EQ(read_file(into + "/systems/s.yaml"), read_file(tree.path() + "/s.yaml"));
  EXPECT_EQ(read_file(into + "/systems/data/s/gemm/vllm/2.0/gemm_perf.txt"),
            read_file(tree.path() + "/data/s/gemm/vllm/2.0/gemm_perf.txt"));
  EXPECT_TRUE(fs::exists(into + "/systems/data/s/gemm/vllm/2.0/collection_meta.yaml"));
  EXPECT_TRUE(fs::exists(into + "/systems/query_versions.yaml"));
  EXPECT_FALSE(fs::exists(into + "/systems/data/s/gemm/vllm/2.0/errors_gemm.json"));
  EXPECT_EQ(read_file(into + "/LICENSE"), "licence of the source\n");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(into, ops, plain_options());
  EXPECT_THAT(root.systems(), ElementsAre("s", "t"));
  EXPECT_EQ(root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on})->size(), 2);
  EXPECT_THAT(compare_folders(open_data_folder(tree.path()), open_data_folder(into), ops, {}),
              testing::Each(testing::ResultOf([](const TableDiff& diff) { return diff.same(); }, true)));
}

TEST(Import, GoesOnWhereItStopped) {
  const PublishedTree tree = two_systems();
  const TemporaryFolder folder;
  const std::string into = folder / "published";
  const size_t files = import_all(tree.path(), into, {"s"}).copied;
  EXPECT_EQ(import_all(tree.path(), into, {"s"}).copied, 0) << "nothing is left to do";
  fs::remove(into + "/systems/s.yaml");
  fs::resize_file(into + "/systems/data/s/gemm/vllm/2.0/gemm_perf.txt", 10);
  EXPECT_EQ(import_all(tree.path(), into, {"s"}).copied, 2);
  EXPECT_GT(import_all(tree.path(), into).copied, 0) << "the other system";
  EXPECT_GT(files, 3);
}

TEST(Import, AFileThatHasChangedSinceIsRefusedByNameAndTheNextImportMendsIt) {
  const PublishedTree tree = two_systems();
  const TemporaryFolder folder;
  const std::string into = folder / "published", table = into + "/systems/data/s/gemm/vllm/2.0/gemm_perf.txt";
  (void)import_all(tree.path(), into, {"s"});
  (void)import_all(tree.path(), into, {"t"});
  const std::string whole = read_file(table);
  const OpRegistry ops = all_ops();
  const auto rows = [&] {
    return SystemsRoot(into, ops, plain_options()).table_rows(ops.get("gemm"), {"s", "vllm", "2.0"})->size();
  };
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ (1 << at % 8));
    std::ofstream(table, std::ios::binary) << damaged;
    EXPECT_THAT(refusal([&] { (void)rows(); }), HasSubstr(table + ": it does not hold what was imported"));
  }
  EXPECT_EQ(import_all(tree.path(), into, {"s"}).copied, 1);
  EXPECT_EQ(rows(), 2);
}

TEST(Import, AHalfImportedFolderIsRefused) {
  const PublishedTree tree = two_systems();
  const TemporaryFolder folder;
  const std::string into = folder / "published";
  (void)import_all(tree.path(), into);
  std::ofstream(into + "/IMPORT_INCOMPLETE") << "";
  const OpRegistry ops = all_ops();
  EXPECT_THAT(refusal([&] { (void)SystemsRoot(into, ops, plain_options()); }),
              HasSubstr("an import into this folder has not finished"));
  (void)import_all(tree.path(), into);
  EXPECT_EQ(SystemsRoot(into, ops, plain_options()).systems().size(), 2);
}

// ---- what is wrong with data ----------------------------------------------------------------------------------------

std::vector<std::string> problems(const PublishedTree& tree, const std::string& system = "s") {
  const OpRegistry ops = all_ops();
  const RootSource root(tree.path(), ops, {.cache = ""});
  std::vector<std::string> reasons;
  for (const TableProblem& problem : check_system(root, system)) reasons.push_back(problem.reason);
  return reasons;
}

TEST(DataCheck, GoodDataHasNoProblems) { EXPECT_THAT(problems(two_systems()), IsEmpty()); }

TEST(DataCheck, ContradictorySidecarsAreNamed) {
  const PublishedTree tree = two_systems();
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.5"});
  EXPECT_THAT(problems(tree), ElementsAre(HasSubstr("it says that gemm_perf has 2 rows, which has 1")));
  tree.remove("data/s/gemm/vllm/2.0/gemm_perf.txt");
  EXPECT_THAT(problems(tree), ElementsAre(AllOf(HasSubstr("gemm/vllm/2.0/collection_meta.yaml"),
                                                HasSubstr("copied in part"))));
  tree.put("data/s/gemm/vllm/2.0/collection_meta.yaml", "tables: [1, 2\n");
  EXPECT_THAT(problems(tree), ElementsAre(HasSubstr("collection_meta.yaml:2: not readable as YAML")));
}

TEST(DataCheck, TablesThatAreListedButNotThereAreTold) {
  const PublishedTree tree = two_systems();
  tree.put("data/s/gemm/vllm/2.0/collection_meta.yaml",
           "tables: {gemm_perf: {rows: 2, status: complete}, moe_perf: {rows: 9, status: complete}}\n");
  const OpRegistry ops = all_ops();
  const RootSource root(tree.path(), ops, {.cache = ""});
  const auto absent = listed_but_absent(root, {"s", "vllm", "2.0"});
  ASSERT_EQ(absent.size(), 1);
  EXPECT_THAT(absent[0].reason,
              AllOf(HasSubstr("moe_perf"), HasSubstr("gemm/vllm/2.0/collection_meta.yaml")));
}

TEST(Versions, ABackEndWhoseFoldersWereCopiedInPartIsNamedWithThem) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put("data/s/gemm/vllm/2.0/collection_meta.yaml",
           "schema_version: 1\ntables: {gemm_perf: {rows: 7}}\n");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  EXPECT_THAT(
      refusal([&] { (void)root.resolve_version("s", "vllm", ""); }),
      HasSubstr("have no tables: " + tree.path() + "/data/s/gemm/vllm/2.0; they were copied in part"));
}

TEST(DataCheck, ADonorWithoutTheTableIsNamed) {
  const PublishedTree tree = two_systems();
  tree.put("data/s/gemm/vllm/3.0/reuse.yaml",
           "reuse:\n- {table: moe_perf, from_version: '2.0', reason: r, approved_by: a}\n");
  EXPECT_THAT(problems(tree),
              ElementsAre(HasSubstr("it borrows moe_perf from vllm 2.0, which has no such table")));
}

TEST(DataCheck, APeakThatRowsNeedIsNamedWithTheTable) {
  const PublishedTree tree = two_systems();
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.5", "a,nvfp4,1,2,3,0.5"});
  EXPECT_THAT(problems(tree), ElementsAre(AllOf(HasSubstr("gemm_perf.txt"), HasSubstr("compute in fp4"),
                                                HasSubstr("s.yaml"))));
}

TEST(DataCheck, ADescriptionThatCannotBeReadIsNamedAndTheOtherSystemsGoOn) {
  const PublishedTree tree = two_systems();
  tree.put("s.yaml", "data_dir: data/s\ngpu: {}\n");
  EXPECT_THAT(problems(tree), ElementsAre(HasSubstr("s.yaml: gpu: the key mem_bw is missing")));
  EXPECT_THAT(problems(tree, "t"), IsEmpty());
}

TEST(Indexing, EveryFileThatCannotBeReadIsNamedAndTheOthersAreKept) {
  const PublishedTree tree = two_systems();
  tree.put("data/s/moe/vllm/2.0/moe_perf.parquet", "version https://git-lfs.github.com/spec/v1\n");
  tree.put("data/s/mla/vllm/2.0/mla_bmm_perf.txt",
           "op_name,bmm_dtype,num_tokens,num_heads,latency\nmla_gen_pre,fp9,1,1,1\n");
  const TemporaryFolder cache;
  const OpRegistry ops = all_ops();
  const RootSource root(tree.path(), ops, {.cache = cache.path()});
  size_t last = 0, all = 0;
  const auto found = root.index({}, [&](size_t done, size_t of) { last = done, all = of; });
  ASSERT_EQ(found.size(), 2) << "moe_perf, the table of two ops, is named once";
  EXPECT_THAT(found[0].reason, HasSubstr("mla_bmm_perf.txt: row 1: bmm_dtype: 'fp9' is not"));
  EXPECT_THAT(found[1].reason, HasSubstr("moe_perf.parquet is a Git-LFS pointer"));
  EXPECT_EQ(last, all);
  EXPECT_EQ(std::distance(fs::directory_iterator(cache.path()), fs::directory_iterator()), 4)
      << "two tables and two descriptions";
}

// ---- comparing and summarising --------------------------------------------------------------------------------------

TEST(TableDiff, CountsRowsByKeyAndTakesTheMedianOfTheChangedOnes) {
  const PublishedTree first = two_systems(), second = two_systems();
  first.put_gemm("s/gemm/vllm/2.0",
                 {"a,fp8,1,2,3,1", "a,fp8,2,2,3,1", "a,fp8,3,2,3,1", "a,fp8,4,2,3,1", "a,fp8,5,2,3,1"});
  second.put_gemm("s/gemm/vllm/2.0",
                  {"a,fp8,5,2,3,1", "a,fp8,2,2,3,2", "a,fp8,3,2,3,4", "a,fp8,4,2,3,8", "a,fp8,9,2,3,1"});
  const OpRegistry ops = all_ops();
  const auto diffs = compare_folders(open_data_folder(first.path()), open_data_folder(second.path()), ops,
                                     {.system = "s", .op = {}});
  ASSERT_EQ(diffs.size(), 1);
  EXPECT_EQ(diffs[0].op, "gemm");
  EXPECT_EQ(diffs[0].added, 1);
  EXPECT_EQ(diffs[0].removed, 1);
  EXPECT_EQ(diffs[0].changed, 3);
  EXPECT_EQ(diffs[0].unchanged, 1);
  EXPECT_EQ(diffs[0].median_ratio, 4);
}

TEST(TableDiff, TablesOfOneFolderAloneAreAddedOrRemovedAndOwnDataFoldersAreReadToo) {
  const PublishedTree first = two_systems();
  const TemporaryFolder placed;
  fs::create_directories(placed / "s/vllm/2.0");
  fs::copy(first.path() + "/data/s/gemm/vllm/2.0/gemm_perf.txt", placed / "s/vllm/2.0/gemm_perf.txt");
  const OpRegistry ops = all_ops();
  const DataFolder own = open_data_folder(placed.path());
  ASSERT_EQ(own.tables.size(), 1);
  const auto diffs = compare_folders(open_data_folder(first.path()), own, ops, {.system = "s", .op = {}});
  ASSERT_EQ(diffs.size(), 2) << "another family is another table";
  EXPECT_EQ(diffs[0].added + diffs[1].added, 2);
  EXPECT_EQ(diffs[0].removed + diffs[1].removed, 2);
}

TEST(TableSummary, CountsSlicesRangesAndHoles) {
  const PublishedTree tree = two_systems();
  std::string text =
      "kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,"
      "distribution,latency\n";
  for (const char* const row : {"k,fp8,1,64,64,2,8,1,1,balanced,1\n", "k,fp8,8,64,64,2,8,1,1,balanced,1\n",
                                "k,fp8,1,64,64,2,8,1,2,balanced,1\n"})
    text += row;
  tree.put("data/s/moe/vllm/2.0/moe_perf.txt", text);
  tree.put("data/s/quantize/vllm/2.0/scale_matrix_perf.txt",
           "m,k,quant_dtype,latency\n1,32,fp8,1\n2,32,fp8,1\n1,64,fp8,1\n");
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  const TableRequest request{"s", "vllm", "2.0", SharedLayer::on};
  const TableSummary moe = summarise(*root.table_rows(ops.get("moe"), request));
  EXPECT_EQ(moe.rows, 3);
  EXPECT_EQ(moe.slices, 2);
  EXPECT_EQ(moe.holes, 0);
  ASSERT_EQ(moe.axes.size(), 1);
  EXPECT_EQ(moe.axes[0].lowest, 1);
  EXPECT_EQ(moe.axes[0].highest, 8);
  EXPECT_THAT(moe.kernels, ElementsAre("k"));
  EXPECT_EQ(summarise(*root.table_rows(ops.get("scale_matrix"), request)).holes, 1) << "m = 2, k = 64";
  EXPECT_EQ(summarise(*root.table_rows(ops.get("gemm"), request)).holes, std::nullopt) << "scattered sites";
}

}  // namespace
}  // namespace perfatlas
