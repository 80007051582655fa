// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/replay/replay_family.h"

#include <algorithm>
#include <map>
#include <set>

#include "perfatlas/base/hash.h"

namespace perfatlas {
namespace {

constexpr uint64_t kSeed = 11;
constexpr double kNewShapes = .12;
constexpr double kRandomCells = 1.0 / 9;

double uniform(uint64_t hash) { return double(combine_hashes(hash, kSeed) >> 11) * 0x1p-53; }

/// Sizes of one field that the pool lacks everywhere.
struct HeldSizes {
  std::string_view column;
  std::set<int64_t> sizes;
};

HeldSizes held_sizes(std::string_view op) {
  if (op == "gemm") {
    HeldSizes held{"m", {3, 5, 7, 11}};
    for (const int64_t m : {48, 96, 160, 224, 512, 1024, 1536, 2048, 2560, 3072, 3840})
      held.sizes.insert({m, m + 1});
    return held;
  }
  if (op == "attention_context" || op == "mla_context") return {"isl", {1536, 6144, 10240}};
  if (op == "moe") return {"num_tokens", {96, 320, 1536, 6144}};
  return {};
}

bool shape_may_be_new(const OpType& op, const FieldValues& values) {
  if (op.info.id != "gemm") return true;
  const auto inside = [&](std::string_view column) {
    const int64_t size = values[*op.find_field(column)];
    return size >= 256 && size <= 16384;
  };
  return inside("n") && inside("k");
}

}  // namespace

std::vector<ReplayFamily> replay_families(const SizeSpace& space, const TableRows& rows) {
  std::map<std::string, std::map<FieldValues, double>> fastest;
  for (size_t row = 0; row < rows.size(); ++row) {
    const FieldValues values = rows.values(row);
    const double latency_ms = rows.latency_ms(row);
    if (latency_ms <= 0) continue;
    const auto [at, is_new] = fastest[space.family_name(values)].try_emplace(values, latency_ms);
    if (!is_new) at->second = std::min(at->second, latency_ms);
  }
  std::vector<ReplayFamily> families;
  for (const auto& [name, cases] : fastest) {
    ReplayFamily family{name, {}, {}};
    for (const auto& [values, latency_ms] : cases) {
      family.values.push_back(values);
      family.latency_ms.push_back(latency_ms);
    }
    families.push_back(std::move(family));
  }
  return families;
}

ReplayHoldOut replay_hold_out(const SizeSpace& space, const ReplayFamily& family) {
  const OpType& op = space.op();
  const HeldSizes held = held_sizes(op.info.id);
  const auto held_field = held.column.empty() ? std::nullopt : op.find_field(held.column);
  const bool mla = op.info.id.starts_with("mla_");
  ReplayHoldOut out;
  for (uint32_t i = 0; i < family.values.size(); ++i) {
    const FieldValues& values = family.values[i];
    const bool new_shape = mla ? values[*op.find_field("num_heads")] == 32
                               : shape_may_be_new(op, values) && uniform(space.shape_of(values)) < kNewShapes;
    const bool held_size = held_field ? held.sizes.contains(values[*held_field])
                                      : uniform(case_id({&op, values})) < kRandomCells;
    (new_shape ? out.new_shapes : held_size ? out.known_shapes : out.pool).push_back(i);
  }
  return out;
}

SystemSpec replay_system(const AicSystem& system) {
  SystemSpec spec;
  spec.system = system.name;
  spec.memory_bandwidth.datasheet = system.mem_bw;
  for (const DType type : {DType::bf16, DType::f16, DType::f32, DType::int8, DType::fp8_e4m3, DType::fp4})
    if (system.has_flops(type)) spec.flops[type].datasheet = system.flops(type);
  return spec;
}

}  // namespace perfatlas
