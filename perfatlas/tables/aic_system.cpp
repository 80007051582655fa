// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/aic_system.h"

#include <fmt/format.h>

#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/yaml_impl.h"

namespace perfatlas {
namespace {

constexpr std::string_view kFlopsSuffix = "_tc_flops";

/// The key of a type's peak without its suffix; empty for types that no tensor core multiplies.
std::string_view flops_key(DType math) {
  switch (math) {
    case DType::bf16:
    case DType::f16:
      return "bfloat16";
    case DType::fp8_e4m3:
      return "fp8";
    case DType::int8:
      return "int8";
    case DType::fp4:
      return "fp4";
    case DType::f32:
    case DType::tf32:
      return "float32";
    default:
      return {};
  }
}

double positive(const YamlPlace& place) {
  const double value = place.number();
  if (value <= 0) place.refuse("a number above 0 is expected here");
  return value;
}

void read_gpu(const YamlPlace& gpu, AicSystem& system) {
  system.mem_bw = positive(gpu.need("mem_bw"));
  system.mem_bw_scaling = gpu.number_of("mem_bw_empirical_scaling_factor");
  system.mem_constant_latency_s = gpu.number_of("mem_empirical_constant_latency");
  system.mem_capacity = gpu.number_of("mem_capacity");
  system.power_w = gpu.number_of("power");
  if (const auto sm = gpu.integer_of("sm_version")) system.sm_version = int(*sm);
  gpu.each_key([&](const std::string& key, const YamlPlace& value) {
    if (!key.ends_with(kFlopsSuffix) || value.is_null()) return;
    system.tc_flops[key.substr(0, key.size() - kFlopsSuffix.size())] = value.number();
  });
}

void read_node(const YamlPlace& node, AicSystem& system) {
  const int64_t gpus = node.need("num_gpus_per_node").integer();
  if (gpus < 1) node.at("num_gpus_per_node").refuse("a number above 0 is expected here");
  system.gpus_per_node = int(gpus);
  system.intra_node_bw = positive(node.need("intra_node_bw"));
  system.inter_node_bw = positive(node.need("inter_node_bw"));
  if (const auto rack = node.integer_of("num_gpus_per_rack")) system.gpus_per_rack = int(*rack);
  system.inter_rack_bw = node.number_of("inter_rack_bw");
  system.pcie_bw = node.number_of("pcie_bw");
  system.p2p_latency_s = node.number_of("p2p_latency");
}

void read_misc(const YamlPlace& misc, AicSystem& system) {
  system.other_mem = misc.number_of("other_mem");
  system.nccl_version = misc.text_of("nccl_version");
  system.oneccl_version = misc.text_of("oneccl_version");
  if (!misc.has("nccl_mem")) return;
  misc.at("nccl_mem").each_key([&](const std::string& gpus, const YamlPlace& bytes) {
    const auto count = parse_integer(gpus);
    if (!count) bytes.refuse("the keys of nccl_mem are numbers of GPUs");
    system.nccl_mem[int(*count)] = bytes.number();
  });
}

}  // namespace

bool AicSystem::has_flops(DType math) const {
  const auto found = tc_flops.find(flops_key(math));
  return found != tc_flops.end() && found->second > 0;
}

double AicSystem::flops(DType math) const {
  if (has_flops(math)) return tc_flops.find(flops_key(math))->second;
  const std::string_view key = flops_key(math);
  if (key.empty())
    throw Error(fmt::format("{}: no tensor core multiplies {}", path, perfatlas::name_of(math)));
  throw Error(fmt::format(
      "{}: gpu.{}{} is missing, so that nothing that computes in {} has a speed of light on {}; add it", path,
      key, kFlopsSuffix, key, name));
}

double AicSystem::bandwidth(int64_t gpus) const {
  if (gpus <= gpus_per_node) return intra_node_bw;
  if (!gpus_per_rack || gpus <= *gpus_per_rack) return inter_node_bw;
  return inter_rack_bw.value_or(inter_node_bw);
}

AicSystem read_aic_system(const YamlDocument& document, std::string_view name) {
  AicSystem system;
  system.name = name;
  system.path = document.path();
  const YamlPlace root = document.root();
  system.data_dir = root.need("data_dir").text();
  while (system.data_dir.ends_with('/')) system.data_dir.pop_back();
  if (system.data_dir.empty() || system.data_dir.starts_with('/') ||
      system.data_dir.find("..") != system.data_dir.npos)
    root.at("data_dir").refuse("it must name a folder below that of the description");
  read_gpu(root.need("gpu"), system);
  read_node(root.need("node"), system);
  if (root.has("misc")) read_misc(root.at("misc"), system);
  return system;
}

AicSystem parse_aic_system(std::string_view text, std::string_view name, const std::string& path) {
  return read_aic_system(YamlDocument::parse(text, path), name);
}

}  // namespace perfatlas
