// SPDX-License-Identifier: Apache-2.0
// Small wheels.
#pragma once

#include <minizip/zip.h>

#include <string>
#include <vector>

#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {

constexpr const char* kMetadata = "Metadata-Version: 2.4\nName: aiconfigurator-core\nVersion: 0.12.0\n";

/// Name and content.
using ZipMembers = std::vector<std::pair<std::string, std::string>>;

inline void write_zip(const ZipMembers& members, const std::string& path) {
  const zipFile zip = zipOpen64(path.c_str(), APPEND_STATUS_CREATE);
  for (const auto& [name, content] : members) {
    ASSERT_EQ(zipOpenNewFileInZip(zip, name.c_str(), nullptr, nullptr, 0, nullptr, 0, nullptr, Z_DEFLATED, 6),
              ZIP_OK);
    ASSERT_EQ(zipWriteInFileInZip(zip, content.data(), unsigned(content.size())), ZIP_OK);
    ASSERT_EQ(zipCloseFileInZip(zip), ZIP_OK);
  }
  ASSERT_EQ(zipClose(zip, nullptr), ZIP_OK);
}

/// The files of a tree, below aiconfigurator_core/systems/, and `metadata`.
inline ZipMembers wheel_members(const PublishedTree& tree, const std::string& metadata) {
  ZipMembers members;
  for (const FileEntry& entry : open_folder(tree.path())->list(""))
    members.emplace_back("aiconfigurator_core/systems/" + entry.path,
                         read_file(tree.path() + "/" + entry.path));
  members.emplace_back("aiconfigurator_core/model_configs/A--B_config.json", "{}");
  members.emplace_back("aiconfigurator_core-0.12.0.dist-info/METADATA", metadata);
  return members;
}

inline void zip_tree(const PublishedTree& tree, const std::string& metadata, const std::string& path) {
  write_zip(wheel_members(tree, metadata), path);
}

/// Three rows, two of which have one key; gemm_latencies() is {0.1, 3}.
inline PublishedTree one_table() {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,0.1", "b,fp8,1,2,3,2.5", ",bfloat16,7,2,3,3"});
  return tree;
}

inline std::vector<double> gemm_latencies(const std::string& source, const std::string& cache) {
  const OpRegistry ops = all_ops();
  const SystemsRoot root(source, ops, plain_options(cache));
  const auto rows = root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on});
  std::vector<double> found;
  for (size_t row = 0; row < rows->size(); ++row) found.push_back(rows->latency_ms(row));
  return found;
}

}  // namespace perfatlas
