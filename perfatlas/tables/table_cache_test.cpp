// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_cache.h"

#include <minizip/zip.h>

#include "perfatlas/tables/published_tree_test.h"
#include "perfatlas/tables/table_cache_format_impl.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

PublishedTree one_table() {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.1", "b,fp8,1,2,3,2.5", ",bfloat16,7,2,3,3"});
  return tree;
}

std::vector<double> gemm_latencies(const std::string& source, const std::string& cache) {
  const OpRegistry ops = all_ops();
  const SystemsRoot root(source, ops, plain_options(cache));
  const auto rows = root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on});
  std::vector<double> found;
  for (size_t row = 0; row < rows->size(); ++row) found.push_back(rows->latency_ms(row));
  return found;
}

std::vector<fs::path> files_of(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

TEST(TableCache, TheSecondProcessReadsWhatTheFirstOneKept) {
  const PublishedTree tree = one_table();
  const TemporaryFolder cache;
  EXPECT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.1, 3));
  ASSERT_EQ(files_of(cache.path()).size(), 1);
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
  EXPECT_EQ(files_of(cache.path()).size(), 1) << "in place of the old one";
}

TEST(TableCache, EveryDamageIsNoticedAndMended) {
  const PublishedTree tree = one_table();
  const TemporaryFolder cache;
  (void)gemm_latencies(tree.path(), cache.path());
  const std::string file = files_of(cache.path())[0].string(), whole = read_file(file);
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x41);
    std::ofstream(file, std::ios::binary) << damaged;
    ASSERT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.1, 3)) << at;
    ASSERT_EQ(read_file(file), whole) << at;
  }
  for (const size_t bytes : {size_t{0}, size_t{10}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(file, std::ios::binary) << whole.substr(0, bytes);
    ASSERT_THAT(gemm_latencies(tree.path(), cache.path()), ElementsAre(0.1, 3)) << bytes;
  }
}

TEST(TableCache, BytesThatPassTheChecksumAreStillReadWithinTheirBounds) {
  const OpRegistry ops = all_ops();
  const OpType& op = ops.get("gemm");
  const PublishedTree tree = one_table();
  const RootSource root(tree.path(), ops, {.cache = ""});
  const TableFile file = root.tables("s").folders()[0].tables[0];
  const TableCacheKey key{1, 2, declaration_hash(op)};
  const std::string bytes = encode_table(root.read_table(op, file), key);
  const auto decoded = [&](std::string text, const TableCacheKey& wanted) {
    const auto owner = std::make_shared<std::string>(std::move(text));
    return decode_table(op, {owner->data(), owner->size(), owner}, wanted).has_value();
  };
  EXPECT_TRUE(decoded(bytes, key));
  EXPECT_FALSE(decoded(bytes, {1, 3, key.declaration}));
  EXPECT_FALSE(decoded(bytes, {1, 2, key.declaration + 1}));
  EXPECT_FALSE(decoded(bytes + "x", key));
  EXPECT_FALSE(decoded("", key));
}

TEST(TableCache, AFolderThatCannotBeWrittenIsDoneWithout) {
  const PublishedTree tree = one_table();
  EXPECT_THAT(gemm_latencies(tree.path(), "/proc/nowhere"), ElementsAre(0.1, 3));
  EXPECT_THAT(gemm_latencies(tree.path(), ""), ElementsAre(0.1, 3));
}

// ---- wheels ------------------------------------------------------------------------------------------------------------

/// A wheel of the files of a tree, below aiconfigurator_core/systems/, and of `metadata`.
void zip_tree(const PublishedTree& tree, const std::string& metadata, const std::string& path) {
  const zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  const auto add = [&](const std::string& name, const std::string& content) {
    ASSERT_EQ(zipOpenNewFileInZip(zip, name.c_str(), nullptr, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, 6),
              ZIP_OK);
    ASSERT_EQ(zipWriteInFileInZip(zip, content.data(), unsigned(content.size())), ZIP_OK);
    ASSERT_EQ(zipCloseFileInZip(zip), ZIP_OK);
  };
  for (const FileEntry& entry : open_folder(tree.path())->list(""))
    add("aiconfigurator_core/systems/" + entry.path, read_file(tree.path() + "/" + entry.path));
  add("aiconfigurator_core/model_configs/A--B_config.json", "{}");
  add("aiconfigurator_core-0.12.0.dist-info/METADATA", metadata);
  ASSERT_EQ(zipClose(zip, nullptr), ZIP_OK);
}

constexpr const char* kMetadata = "Metadata-Version: 2.4\nName: aiconfigurator-core\nVersion: 0.12.0\n";

TEST(Wheels, AreReadWithoutUnpackingAsFoldersAre) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  zip_tree(tree, kMetadata, wheel);
  EXPECT_THAT(gemm_latencies(wheel, folder / "cache"), ElementsAre(0.1, 3));
  EXPECT_THAT(gemm_latencies(wheel, folder / "cache"), ElementsAre(0.1, 3)) << "kept";
  const OpRegistry ops = all_ops();
  const RootSource root(wheel, ops, {.cache = ""});
  EXPECT_THAT(root.systems(), ElementsAre("s"));
  EXPECT_EQ(root.release(), "aiconfigurator-core 0.12.0");
  EXPECT_THAT(root.model_config_names(), ElementsAre("A--B_config.json"));
  EXPECT_EQ(root.model_config("A--B_config.json"), "{}");
  EXPECT_EQ(root.model_config("../x"), std::nullopt);
}

TEST(Wheels, OfAnotherReleaseOrDamagedAreRefused) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  const OpRegistry ops = all_ops();
  const auto refused = [&] { return refusal([&] { (void)SystemsRoot(wheel, ops, plain_options()); }); };
  zip_tree(tree, "Name: aiconfigurator-core\nVersion: 0.13.1\n", wheel);
  EXPECT_THAT(refused(),
              HasSubstr("w.whl: is release 0.13.1 of the published data, this program reads 0.12.x"));
  std::ofstream(wheel) << "no zip";
  EXPECT_THAT(refused(), HasSubstr("w.whl: this is not a zip file"));
  fs::remove(wheel);
  EXPECT_THAT(refused(), HasSubstr("there is no such file or folder"));
}

TEST(Wheels, ADamagedMemberIsNamed) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  zip_tree(tree, kMetadata, wheel);
  std::string bytes = read_file(wheel);
  const size_t at = bytes.find("gemm_perf.txt") + 13;
  for (size_t i = 0; i < 40; ++i) bytes[at + i] = char(bytes[at + i] ^ 0x55);
  std::ofstream(wheel, std::ios::binary) << bytes;
  EXPECT_THAT(refusal([&] { (void)gemm_latencies(wheel, ""); }),
              HasSubstr("member aiconfigurator_core/systems/data/s/gemm/vllm/2.0/gemm_perf.txt is damaged"));
}

}  // namespace
}  // namespace perfatlas
