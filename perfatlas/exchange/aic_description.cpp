// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_description.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr std::pair<DType, std::string_view> kPeaks[] = {{DType::bf16, "bfloat16"},
                                                         {DType::int8, "int8"},
                                                         {DType::fp8_e4m3, "fp8"},
                                                         {DType::fp4, "fp4"},
                                                         {DType::f32, "float32"}};

std::string origin_of(const Figure& figure) {
  return figure.measured ? "measured by probe" : "from the data sheet";
}

void describe_gpu(const SystemSpec& spec, const AicDescriptionGiven& given, AicDescription& description) {
  AicSystem& system = description.system;
  const auto bandwidth = spec.memory_bandwidth.best();
  if (!bandwidth)
    throw Error(
        fmt::format("{}: its description has no memory bandwidth; run perfatlas probe again", spec.system));
  system.mem_bw = *bandwidth;
  description.origins["gpu.mem_bw"] = origin_of(spec.memory_bandwidth);
  if (spec.memory_bandwidth.measured) {
    system.mem_bw_scaling = 1;
    description.origins["gpu.mem_bw_empirical_scaling_factor"] = "mem_bw is measured";
  }
  system.mem_constant_latency_s = given.mem_constant_latency_s;
  if (!spec.memory_bytes)
    throw Error(
        fmt::format("{}: its description has no memory size; run perfatlas probe again", spec.system));
  system.mem_capacity = *spec.memory_bytes;
  for (const auto& [type, key] : kPeaks) {
    const auto peak = spec.flops.find(type);
    if (peak == spec.flops.end() || !peak->second.best()) continue;
    system.tc_flops.emplace(key, *peak->second.best());
    description.origins[fmt::format("gpu.{}_tc_flops", key)] = origin_of(peak->second);
  }
  if (!system.tc_flops.contains("bfloat16"))
    throw Error(
        fmt::format("{}: its description has no bfloat16 peak; run perfatlas probe again", spec.system));
  system.power_w = given.power_w ? given.power_w : spec.power_limit_w;
  system.sm_version = spec.sm_version;
}

/// The figure given, else the one measured; UsageError with the option when there is neither.
double given_or_measured(const std::optional<double>& given, const std::optional<double>& measured,
                         std::string_view option, std::string_view what) {
  if (given) return *given;
  if (measured) return *measured;
  throw UsageError(
      fmt::format("aiconfigurator needs {}, which no table of messages tells: give {}", what, option));
}

void describe_node(const MeasuredLinks& links, const AicDescriptionGiven& given,
                   AicDescription& description) {
  AicSystem& system = description.system;
  if (!given.gpus_per_node)
    throw UsageError("aiconfigurator needs the devices of one node: give --gpus-per-node");
  system.gpus_per_node = *given.gpus_per_node;
  system.intra_node_bw = given_or_measured(given.intra_node_bw, links.bandwidth, "--intra-node-bw",
                                           "the bandwidth between devices of a node");
  system.inter_node_bw =
      given_or_measured(given.inter_node_bw, std::nullopt, "--inter-node-bw", "the bandwidth between nodes");
  system.p2p_latency_s =
      given_or_measured(given.p2p_latency_s, links.latency_s, "--p2p-latency", "the latency of a message");
  system.pcie_bw = given.pcie_bw;
  description.origins["node.num_gpus_per_node"] = description.origins["node.inter_node_bw"] = "as given";
  description.origins["node.intra_node_bw"] = given.intra_node_bw ? "as given" : links.bandwidth_origin;
  description.origins["node.p2p_latency"] = given.p2p_latency_s ? "as given" : links.latency_origin;
}

/// YAML 1.1 takes "7e-06" for a text: numbers with an exponent need a point.
std::string with_point(std::string number) {
  const size_t exponent = number.find('e');
  if (exponent != number.npos && number.find('.') == number.npos) number.insert(exponent, ".0");
  return number;
}

/// Lines "  key: number  # origin".
class Lines {
 public:
  explicit Lines(const AicDescription& description) : description_(description) {}

  void section(std::string_view name) {
    section_ = name;
    text_ += fmt::format("\n{}:\n", name);
  }
  void add(const std::string& key, const std::optional<double>& value) {
    if (!value) return;
    const bool whole = *value == std::floor(*value) && std::abs(*value) < 1e18;
    line(key, whole ? fmt::format("{:.0f}", *value) : with_point(format_real(*value)));
  }
  void add_text(const std::string& key, const std::optional<std::string>& value) {
    if (value) line(key, fmt::format("'{}'", *value));
  }
  void line(const std::string& key, const std::string& value) {
    const auto origin = description_.origins.find(fmt::format("{}.{}", section_, key));
    text_ += fmt::format("  {}: {}{}\n", key, value,
                         origin == description_.origins.end() ? "" : "  # " + origin->second);
  }
  void raw(const std::string& text) { text_ += text; }
  const std::string& text() const { return text_; }

 private:
  const AicDescription& description_;
  std::string section_, text_;
};

}  // namespace

AicDescription describe_for_aic(const SystemSpec& spec, const MeasuredLinks& links,
                                const AicDescriptionGiven& given, const std::string& comm_version) {
  AicDescription description;
  AicSystem& system = description.system;
  system.name = spec.system;
  system.data_dir = "data/" + spec.system;
  describe_gpu(spec, given, description);
  describe_node(links, given, description);
  system.nccl_mem = given.nccl_mem;
  system.other_mem = given.other_mem;
  if (!given.other_mem)
    throw UsageError("aiconfigurator needs the byte of a device that the runtime takes: give --other-mem");
  if (given.nccl_mem.empty())
    throw UsageError("aiconfigurator needs the byte that collectives take, by devices: give --nccl-mem");
  if (!comm_version.empty()) system.nccl_version = comm_version;
  return description;
}

std::string aic_description_yaml(const AicDescription& description) {
  const AicSystem& system = description.system;
  Lines lines(description);
  lines.raw(fmt::format("# Written by perfatlas export.\ndata_dir: {}\n", system.data_dir));
  lines.section("gpu");
  lines.add("mem_bw", system.mem_bw);
  lines.add("mem_bw_empirical_scaling_factor", system.mem_bw_scaling);
  lines.add("mem_empirical_constant_latency", system.mem_constant_latency_s);
  lines.add("mem_capacity", system.mem_capacity);
  for (const auto& [type, peak] : system.tc_flops) lines.add(type + "_tc_flops", peak);
  lines.add("power", system.power_w);
  if (system.sm_version) lines.add("sm_version", double(*system.sm_version));
  lines.section("node");
  lines.add("num_gpus_per_node", double(system.gpus_per_node));
  if (system.gpus_per_rack) lines.add("num_gpus_per_rack", double(*system.gpus_per_rack));
  lines.add("inter_node_bw", system.inter_node_bw);
  lines.add("intra_node_bw", system.intra_node_bw);
  lines.add("inter_rack_bw", system.inter_rack_bw);
  lines.add("pcie_bw", system.pcie_bw);
  lines.add("p2p_latency", system.p2p_latency_s);
  lines.section("misc");
  if (!system.nccl_mem.empty()) lines.raw("  nccl_mem:\n");
  for (const auto& [gpus, bytes] : system.nccl_mem) lines.raw(fmt::format("    {}: {:.0f}\n", gpus, bytes));
  lines.add("other_mem", system.other_mem);
  lines.add_text("nccl_version", system.nccl_version);
  lines.add_text("oneccl_version", system.oneccl_version);
  return lines.text();
}

}  // namespace perfatlas
