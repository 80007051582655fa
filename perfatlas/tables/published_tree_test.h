// SPDX-License-Identifier: Apache-2.0
// A small published database, made in a temporary folder.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {

class PublishedTree {
 public:
  const std::string& path() const { return folder_->path(); }

  /// Writes a file below the folder.
  void put(const std::string& path, const std::string& text) const {
    const std::string full = *folder_ / path;
    std::filesystem::create_directories(std::filesystem::path(full).parent_path());
    std::ofstream(full, std::ios::binary) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove(*folder_ / path); }

  /// A description with the peaks of bfloat16 and fp8.
  void put_system(const std::string& name, const std::string& more_misc = "") const {
    put(name + ".yaml",
        "data_dir: data/" + name +
            "\ngpu: {mem_bw: 1e12, bfloat16_tc_flops: 1e15, fp8_tc_flops: 2e15, sm_version: 90}\n"
            "node: {num_gpus_per_node: 8, intra_node_bw: 4e11, inter_node_bw: 5e10, p2p_latency: 1e-5}\n"
            "misc: {nccl_mem: {1: 0, 2: 1000}, other_mem: 5000" +
            more_misc + "}\n");
  }

  /// A table "gemm_perf": each row is "kernel,dtype,m,n,k,latency".
  void put_gemm(const std::string& folder, const std::vector<std::string>& rows) const {
    std::string text = "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency\n";
    for (const std::string& row : rows) text.append("F,1,D,gemm,").append(row).append("\n");
    put("data/" + folder + "/gemm_perf.txt", text);
  }

 private:
  std::unique_ptr<TemporaryFolder> folder_ = std::make_unique<TemporaryFolder>();
};

/// A root without a cache, unless one is named.
inline SystemsRootOptions plain_options(std::string cache = "") {
  SystemsRootOptions options;
  options.cache = std::move(cache);
  return options;
}

/// What a call throws; empty when it does not.
template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace perfatlas
