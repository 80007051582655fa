// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/published_zip_test.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

TEST(Wheels, WithNamesThatLeadOutOfAFolderAreRefused) {
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  for (const char* const name : {"../evil", "aiconfigurator_core/systems/data/s/../../../evil", "/etc/evil",
                                 "a//b", "a/./b", "a\\b", "a\nb"}) {
    ZipMembers members = wheel_members(one_table(), kMetadata);
    members.emplace_back(name, "x");
    write_zip(members, wheel);
    EXPECT_THAT(refusal([&] { (void)gemm_latencies(wheel, ""); }), HasSubstr("leads out of a folder"))
        << name;
  }
}

TEST(Wheels, ThatHaveAMemberTwiceAreRefused) {
  const TemporaryFolder folder;
  ZipMembers members = wheel_members(one_table(), kMetadata);
  members.push_back(members.front());
  write_zip(members, folder / "w.whl");
  EXPECT_THAT(refusal([&] { (void)gemm_latencies(folder / "w.whl", ""); }), HasSubstr("twice"));
}

TEST(Wheels, CutShortAreNamed) {
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl", torn = folder / "torn.whl";
  zip_tree(one_table(), kMetadata, wheel);
  const std::string whole = read_file(wheel);
  for (size_t bytes = 0; bytes < whole.size(); bytes += 1 + whole.size() / 61) {
    std::ofstream(torn, std::ios::binary) << whole.substr(0, bytes);
    EXPECT_THAT(refusal([&] { (void)gemm_latencies(torn, ""); }), HasSubstr("torn.whl")) << bytes;
  }
}

// The directory of a zip file has no checksum: a table with a damaged name is missing, not wrong.
TEST(Wheels, WithFlippedBytesAreReadRightOrRefused) {
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  zip_tree(one_table(), kMetadata, wheel);
  const std::string whole = read_file(wheel);
  for (size_t at = 0; at < whole.size(); at += 3) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x15);
    std::ofstream(wheel, std::ios::binary) << damaged;
    std::vector<double> read;
    const std::string said = refusal([&] { read = gemm_latencies(wheel, ""); });
    if (said.empty()) {
      EXPECT_THAT(read, testing::AnyOf(ElementsAre(0.1, 3), IsEmpty())) << at;
    }
  }
}

TEST(Wheels, AKeptDirectoryIsOfOneStateOfTheFile) {
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl", cache = folder / "cache";
  zip_tree(one_table(), kMetadata, wheel);
  EXPECT_THAT(gemm_latencies(wheel, cache), ElementsAre(0.1, 3));
  PublishedTree other = one_table();
  other.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.7"});
  fs::remove(wheel);
  zip_tree(other, kMetadata, wheel);
  EXPECT_THAT(gemm_latencies(wheel, cache), ElementsAre(0.7)) << "replaced";
  std::string bytes = read_file(wheel);
  const auto time = fs::last_write_time(wheel);
  std::ofstream(wheel, std::ios::binary) << std::string(bytes.size(), 'x');
  fs::last_write_time(wheel, time);
  EXPECT_THAT(refusal([&] { (void)gemm_latencies(wheel, cache); }), HasSubstr("this is not a zip file"))
      << "as large and as old as before";
}

TEST(Wheels, AMemberOfAFileThatWasReplacedMeanwhileIsNotTakenForAnother) {
  const TemporaryFolder folder;
  const std::string wheel = folder / "w.whl";
  zip_tree(one_table(), kMetadata, wheel);
  const auto tree = open_zip(wheel, "");
  PublishedTree other = one_table();
  other.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.7"});
  fs::remove(wheel);
  zip_tree(other, kMetadata, wheel);
  const std::string said =
      refusal([&] { (void)tree->read("aiconfigurator_core/systems/data/s/gemm/vllm/2.0/gemm_perf.txt"); });
  EXPECT_THAT(said, HasSubstr(wheel));
}

TEST(Trees, NameWhatLiesInAFolder) {
  const PublishedTree tree = one_table();
  const TemporaryFolder folder;
  zip_tree(tree, kMetadata, folder / "w.whl");
  const auto names = [&](const std::string& in) {
    const auto of_folder = open_folder(tree.path())->names_in(in);
    EXPECT_EQ(of_folder, open_zip(folder / "w.whl", "")->names_in("aiconfigurator_core/systems/" + in));
    return of_folder;
  };
  EXPECT_THAT(names(""), ElementsAre("data/", "s.yaml"));
  EXPECT_THAT(names("data/s/gemm/vllm/2.0"), ElementsAre("gemm_perf.txt"));
  EXPECT_THAT(names("nothing"), IsEmpty());
  EXPECT_THAT(open_zip(folder / "w.whl", "")->names_in(""),
              ElementsAre("aiconfigurator_core-0.12.0.dist-info/", "aiconfigurator_core/"));
}

TEST(Trees, LinksThatLeadBackAreNotFollowedAndThoseThatLeadNowhereAreNamed) {
  const PublishedTree tree = one_table();
  const fs::path table = fs::path(tree.path()) / "data/s/gemm/vllm/2.0";
  fs::create_directory_symlink("..", table / "loop");
  fs::create_symlink("nowhere", table / "moe_perf.parquet");
  fs::create_directory(table / "context_mla_perf.parquet");
  EXPECT_THAT(gemm_latencies(tree.path(), ""), ElementsAre(0.1, 3));
  std::vector<std::string> listed;
  for (const FileEntry& entry : open_folder(tree.path())->list("data")) listed.push_back(entry.path);
  EXPECT_THAT(listed,
              ElementsAre("data/s/gemm/vllm/2.0/context_mla_perf.parquet",
                          "data/s/gemm/vllm/2.0/gemm_perf.txt", "data/s/gemm/vllm/2.0/moe_perf.parquet"));
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  const TableRequest request{"s", "vllm", "2.0"};
  EXPECT_THAT(refusal([&] { (void)root.table_rows(ops.get("moe"), request); }),
              HasSubstr("moe_perf.parquet: No such file or directory"));
  EXPECT_THAT(refusal([&] { (void)root.table_rows(ops.get("mla_context"), request); }),
              HasSubstr("context_mla_perf.parquet: Is a directory"));
}

}  // namespace
}  // namespace perfatlas
