// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_cache.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "perfatlas/tables/published_zip_test.h"
#include "perfatlas/tables/table_cache_format_impl.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

std::vector<fs::path> files_of(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// Of one table and the description.
constexpr size_t kKeptOfOneTable = 2;

TEST(TableCache, TheSecondProcessReadsWhatTheFirstOneKept) {
  const PublishedTree tree = one_table();
  const TemporaryFolder cache;
  EXPECT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.1, 3));
  ASSERT_EQ(files_of(cache.path()).size(), kKeptOfOneTable);
  const OpRegistry ops = all_ops();
  const auto tree_files = open_folder(tree.path());
  const auto entry = tree_files->entry("data/s/gemm/vllm/2.0/gemm_perf.txt");
  const auto kept = TableCache(cache.path(), *tree_files).load(ops.get("gemm"), *entry);
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->size(), 3);
  EXPECT_EQ(Symbol::from_id(kept->kernels()[1]).text(), "b");
  EXPECT_THAT(kept->parts().winners, ElementsAre(0, 2));
  EXPECT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.1, 3));
}

TEST(TableCache, AChangedTableIsReadAgain) {
  const PublishedTree tree = one_table();
  const TemporaryFolder cache;
  (void)gemm_latencies(tree.path(), cache.path());
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.25"});
  EXPECT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.25));
  EXPECT_EQ(files_of(cache.path()).size(), kKeptOfOneTable) << "in place of the old one";
}

TEST(TableCache, EveryDamageIsNoticedAndMended) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  const std::string cache = folder / "cache", wheel = folder / "w.whl";
  zip_tree(tree, kMetadata, wheel);
  (void)gemm_latencies(wheel, cache);
  ASSERT_EQ(files_of(cache).size(), kKeptOfOneTable + 1) << "and the directory of the wheel";
  for (const fs::path& path : files_of(cache)) {
    const std::string whole = read_file(path.string());
    const auto is_mended = [&](const std::string& damaged) {
      std::ofstream(path, std::ios::binary) << damaged;
      return gemm_latencies(wheel, cache) == std::vector{0.1, 3.0} && read_file(path.string()) == whole;
    };
    for (size_t at = 0; at < whole.size(); at += 7) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ 0x41);
      ASSERT_TRUE(is_mended(damaged)) << path << " " << at;
    }
    for (const size_t bytes : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1})
      ASSERT_TRUE(is_mended(whole.substr(0, bytes))) << path << " " << bytes;
    EXPECT_TRUE(is_mended("garbage")) << path;
    std::string of_another_version = whole;
    ++of_another_version[8];  // the revision, behind the magic word
    EXPECT_TRUE(is_mended(of_another_version)) << path;
  }
}

TEST(TableCache, AMergeIsKeptUntilOneOfItsFilesChanges) {
  PublishedTree tree;
  tree.put_system("s");
  std::vector<std::string> rows, older;
  for (int i = 1; i <= 5000; ++i) rows.push_back("a,fp8," + std::to_string(i) + ",2,3,1");
  for (int i = 4000; i <= 6000; ++i) older.push_back("a,fp8," + std::to_string(i) + ",2,3,2");
  tree.put_gemm("s/gemm/vllm/2.0", rows);
  tree.put_gemm("s/gemm/vllm/1.0", older);
  const TemporaryFolder cache;
  const auto first = gemm_latencies(tree.path(), cache.path());
  EXPECT_EQ(first.size(), 6000);
  EXPECT_EQ(first, gemm_latencies(tree.path(), ""));
  const size_t kept = files_of(cache.path()).size();
  EXPECT_EQ(kept, 4) << "two tables, their merge, the description";
  EXPECT_EQ(gemm_latencies(tree.path(), cache.path()), first);
  tree.put_gemm("s/gemm/vllm/1.0", {"a,fp8,9000,2,3,7"});
  EXPECT_EQ(gemm_latencies(tree.path(), cache.path()).size(), 5001);
  EXPECT_EQ(gemm_latencies(tree.path(), cache.path()).back(), 7);
  EXPECT_EQ(files_of(cache.path()).size(), kept) << "in place of the old ones";
}

TEST(TableCache, ManyProcessesAtOnceAgree) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  const std::string cache = folder / "cache", wheel = folder / "w.whl";
  zip_tree(tree, kMetadata, wheel);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;  // roots share nothing, as processes
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) wrong += gemm_latencies(wheel, cache) != std::vector{0.1, 3.0};
    });
  std::error_code gone;
  for (int i = 0; i < 50; ++i) fs::remove_all(cache, gone);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(TableCache, BytesThatPassTheChecksumAreStillReadWithinTheirBounds) {
  const OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");
  const PublishedTree tree = one_table();
  const RootSource root(tree.path(), ops, {.cache = ""});
  const TableFile file = root.tables("s").folders()[0].tables[0];
  const std::string bytes = encode_table(root.read_table(op, file));
  const auto decoded = [&](std::string text) {
    const auto owner = std::make_shared<std::string>(std::move(text));
    return decode_table(op, {owner->data(), owner->size(), owner}).has_value();
  };
  EXPECT_TRUE(decoded(bytes));
  EXPECT_FALSE(decoded(bytes + "x"));
  EXPECT_FALSE(decoded(bytes.substr(0, bytes.size() - 8)));
  EXPECT_FALSE(decoded(""));
}

TEST(TableCache, AFolderThatCannotBeWrittenIsDoneWithout) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  zip_tree(tree, kMetadata, folder / "w.whl");
  replace_file(folder / "file", "");
  for (const std::string& source : {tree.path(), folder / "w.whl"})
    for (const std::string& cache : {std::string("/proc/nowhere"), std::string(), folder / "file"})
      EXPECT_THAT(gemm_latencies(source, cache), ElementsAre(0.1, 3)) << source << " " << cache;
}

}  // namespace
}  // namespace perfatlas
