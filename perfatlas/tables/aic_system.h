// SPDX-License-Identifier: Apache-2.0
// A published system description, {system}.yaml: what a GPU, its node and its runtime are said to be. Absent means that
// the file does not say; nothing is filled in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

class YamlDocument;

struct AicSystem {
  std::string name;      // file name without .yaml
  std::string path;      // of the file, for errors
  std::string data_dir;  // relative to the systems folder

  // gpu
  double mem_bw = 0;                                    // byte/s; every description has it
  std::optional<double> mem_bw_scaling;                 // mem_bw_empirical_scaling_factor
  std::optional<double> mem_constant_latency_s;         // mem_empirical_constant_latency
  std::optional<double> mem_capacity;                   // byte
  std::map<std::string, double, std::less<>> tc_flops;  // "bfloat16" -> FLOP/s of bfloat16_tc_flops, dense
  std::optional<double> power_w;
  std::optional<int> sm_version;

  // node; bandwidths in byte/s per GPU and direction
  int gpus_per_node = 0;  // every description has it
  std::optional<int> gpus_per_rack;
  double intra_node_bw = 0, inter_node_bw = 0;  // every description has them
  std::optional<double> inter_rack_bw, pcie_bw;
  std::optional<double> p2p_latency_s;

  // misc
  std::map<int, double> nccl_mem;   // GPUs -> byte
  std::optional<double> other_mem;  // byte
  std::optional<std::string> nccl_version, oneccl_version;

  /// FLOP/s of the tensor cores for `math`: bf16 and f16 from bfloat16_tc_flops, int8, fp8_e4m3, fp4 and f32 from their
  /// own key. Throws Error naming the file and the key when it is absent, not finite or not positive.
  double flops(DType math) const;

  /// Whether flops() has an answer.
  bool has_flops(DType math) const;

  /// Bandwidth between `gpus` GPUs, byte/s per GPU: intra_node_bw within a node; inter_node_bw within a rack (any
  /// number when gpus_per_rack is absent); else inter_rack_bw, or inter_node_bw where that is absent.
  double bandwidth(int64_t gpus) const;
};

/// Reads the text of a description. Unknown keys are ignored. Throws Error "PATH: reason" when a key that every
/// description has is missing or a value is no number; missing peaks of single types are found by flops().
AicSystem parse_aic_system(std::string_view text, std::string_view name, const std::string& path);
AicSystem read_aic_system(const YamlDocument& document, std::string_view name);

}  // namespace perfatlas
