// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/layout.h"

#include "perfatlas/base/file.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

void put(const std::string& path, const std::string& content = "") {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  replace_file(path, content);
}

std::string text_of(const std::vector<TableFolder>& folders) {
  std::string text;
  for (const TableFolder& f : folders)
    text += f.system + " " + f.family + " " + f.backend + " " + f.version + "\n";
  return text;
}

TEST(Layout, RootIsTheFirstThatIsNamed) {
  setenv("PERFATLAS_DATA", "/from/variable", 1);
  EXPECT_EQ(data_root("/given"), "/given");
  EXPECT_EQ(data_root(), "/from/variable");
  unsetenv("PERFATLAS_DATA");
  setenv("XDG_DATA_HOME", "/xdg", 1);
  EXPECT_EQ(data_root(), "/xdg/perfatlas");
  unsetenv("XDG_DATA_HOME");
  setenv("HOME", "/h", 1);
  EXPECT_EQ(data_root(), "/h/.local/share/perfatlas");
  unsetenv("HOME");
  EXPECT_NE(error_of([] { (void)data_root(); }).find("--data"), std::string::npos);
}

TEST(Layout, FindsPlainAndFamilyFolders) {
  const TemporaryFolder root;
  put(root / "xeon/onednn/3.2/gemm_perf.parquet");
  put(root / "xeon/onednn/3.2/history/gemm_perf.parquet");
  put(root / "xeon/system.json");
  put(root / "h200/gemm/trtllm/1.3/gemm_perf.txt");
  put(root / "h200/comm/nccl/2.26/collection_meta.yaml", "schema_version: 1\n");
  put(root / "h200/moe/empty/1/notes.md");
  put(root / ".git/a/b/gemm_perf.txt");
  EXPECT_EQ(text_of(list_table_folders(root.path())),
            "h200 comm nccl 2.26\nh200 gemm trtllm 1.3\nxeon  onednn 3.2\n");
  EXPECT_NE(error_of([&] { (void)list_table_folders(root / "none"); }).find("/none"), std::string::npos);
}

TEST(Layout, ListsEachTableOnceAndPrefersParquet) {
  const TemporaryFolder root;
  for (const char* name :
       {"b_perf.txt", "a_perf.txt", "a_perf.parquet", "notes.txt", "a_perf.parquet.12.tmp"})
    put(root / name);
  const auto tables = list_tables({"s", "", "b", "v", root.path()});
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0], (TableFile{"a_perf", TableFormat::parquet, root / "a_perf.parquet"}));
  EXPECT_EQ(tables[1], (TableFile{"b_perf", TableFormat::csv, root / "b_perf.txt"}));
}

TEST(Layout, FolderOfANewerFormatIsRefused) {
  const TemporaryFolder root;
  put(root / "collection_meta.yaml", "schema_version: 1\nperfatlas:\n  format_revision: 99\n");
  const std::string text = error_of([&] { (void)list_tables({"s", "", "b", "v", root.path()}); });
  EXPECT_NE(text.find("format revision 99 is newer than this program's 1; update perfatlas"), text.npos)
      << text;
}

TEST(Layout, NamesThatAreNoFolderAreRefused) {
  for (const char* bad : {"", ".", "..", "a/b", "a b", ".x", "history"})
    EXPECT_FALSE(valid_folder_name(bad)) << bad;
  EXPECT_TRUE(valid_folder_name("3.2.0+cpu"));
}

CollectionMeta full_meta() {
  CollectionMeta meta{.provenance = "collected", .format_revision = 1};
  meta.runtime = {{"framework", "onednn"}, {"version", "3.2.0"}};
  meta.tables["gemm_perf"] = {.collector_ref = "abc",
                              .case_plan_hash = "00ff",
                              .collected_at = "2026-01-31",
                              .rows = 12,
                              .status = "complete",
                              .op_revision = 1,
                              .outcomes = {{"measured", 12}, {"skipped", 3}}};
  meta.collections.push_back({.run_id = "r1",
                              .date = "2026-01-31T12:00:00Z",
                              .tool = "perfatlas 0.1.0",
                              .device = "Xeon: \"x\", #1",
                              .plan_hash = "00ff",
                              .versions = {{"onednn", "3.2.0"}, {"kernel", "true"}},
                              .settings = {{"clock_mhz", "2100"}},
                              .outcomes = {{"gemm_perf", {{"measured", 12}}}}});
  return meta;
}

TEST(CollectionMeta, ReadsBackEqual) {
  const TemporaryFolder folder;
  write_collection_meta(full_meta(), folder.path());
  EXPECT_EQ(read_collection_meta(folder.path()), full_meta());
  EXPECT_EQ(read_collection_meta(folder / "elsewhere"), std::nullopt);
}

TEST(CollectionMeta, TextIsTheDocumentedOne) {
  EXPECT_EQ(collection_meta_yaml(full_meta()), R"(schema_version: 1
provenance: "collected"
runtime:
  framework: "onednn"
  version: "3.2.0"
tables:
  gemm_perf:
    collector_ref: "abc"
    case_plan_hash: "00ff"
    collected_at: "2026-01-31"
    rows: 12
    status: "complete"
    op_revision: 1
    outcomes:
      measured: 12
      skipped: 3
perfatlas:
  format_revision: 1
  collections:
    - run_id: "r1"
      date: "2026-01-31T12:00:00Z"
      tool: "perfatlas 0.1.0"
      device: "Xeon: \"x\", #1"
      plan_hash: "00ff"
      versions:
        kernel: "true"
        onednn: "3.2.0"
      settings:
        clock_mhz: "2100"
      outcomes:
        gemm_perf:
          measured: 12
)");
}

TEST(CollectionMeta, ReadsPublishedSidecars) {
  const TemporaryFolder folder;
  put(folder / kCollectionMetaFile,
      "schema_version: 1\nruntime:\n  framework: trtllm\n  version: 1.3.0rc20\n  image_digest: "
      "null\ntables:\n"
      "  gemm_perf:\n    collector_ref: 1234\n    rows: 7\n    status: partial\n");
  const auto meta = read_collection_meta(folder.path());
  ASSERT_TRUE(meta);
  EXPECT_EQ(meta->runtime.at("version"), "1.3.0rc20");
  EXPECT_EQ(meta->tables.at("gemm_perf").rows, 7);
  EXPECT_EQ(meta->tables.at("gemm_perf").collector_ref, "1234");
  EXPECT_FALSE(meta->format_revision);
}

TEST(CollectionMeta, MalformedSidecarsNameTheKey) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    put(folder / kCollectionMetaFile, text);
    return error_of([&] { (void)read_collection_meta(folder.path()); })
        .substr((folder / kCollectionMetaFile).size());
  };
  EXPECT_EQ(refusal("tables: 3\n"),
            ": tables: a map of keys is expected here; mend the file or place its tables again");
  EXPECT_EQ(refusal("tables:\n  g:\n    rows: many\n"),
            ": tables.g.rows: a whole number is expected here; mend the file or place its tables again");
  EXPECT_NE(refusal("a: [1\n").find(":2: not readable as YAML"), std::string::npos);
  EXPECT_NE(refusal("schema_version: 3\n").find("newer"), std::string::npos);
  EXPECT_NE(refusal("perfatlas: {}\n").find("format_revision is missing"), std::string::npos);
  EXPECT_NE(refusal("").find("map of keys"), std::string::npos);
}

}  // namespace
}  // namespace perfatlas
