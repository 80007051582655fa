// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module_grid.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostContextTokens = 131072;
constexpr int64_t kMostCachedTokens = 1 << 25;

struct Size {
  int64_t batch, length;
};

std::vector<int64_t> powers_of_two(int64_t first, int64_t last) {
  std::vector<int64_t> powers;
  for (int64_t value = first; value <= last; value *= 2) powers.push_back(value);
  return powers;
}

std::vector<Size> pairs_of(const std::vector<int64_t>& batches, const std::vector<int64_t>& lengths,
                           const std::function<bool(const Size&)>& fits) {
  std::vector<Size> sizes;
  for (const int64_t batch : batches)
    for (const int64_t length : lengths)
      if (fits({batch, length})) sizes.push_back({batch, length});
  return sizes;
}

/// 1, 4, 8, 16 and so on.
std::vector<int64_t> sglang_lengths() {
  std::vector<int64_t> lengths = powers_of_two(4, 16384);
  lengths.insert(lengths.begin(), 1);
  return lengths;
}

std::vector<Size> context_sizes(AicFramework framework) {
  if (framework == AicFramework::sglang)
    return pairs_of(powers_of_two(1, 1024), sglang_lengths(), [](const Size& size) {
      return size.batch * size.length <= kMostContextTokens && (size.length < 8192 || size.batch <= 8);
    });
  return pairs_of(
      powers_of_two(1, 256),
      {1, 16, 32, 64, 128, 256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 10240, 12288, 16384, 32768},
      [](const Size& size) { return size.batch * size.length <= kMostContextTokens; });
}

std::vector<Size> generation_sizes(AicFramework framework) {
  if (framework == AicFramework::sglang)
    return pairs_of(powers_of_two(1, 1024), sglang_lengths(), [](const Size& size) {
      return size.batch * size.length <= 262144 && (size.length < 8192 || size.batch <= 16);
    });
  return pairs_of(powers_of_two(1, 1024), powers_of_two(2, 131072),
                  [](const Size& size) { return size.batch * size.length <= kMostCachedTokens; });
}

std::vector<Quant> gemm_types(const AicGrid& grid) {
  std::vector<Quant> types = {Quant::bf16};
  if (grid.framework == AicFramework::sglang) return types;
  if (grid.sm_version >= 89) types.push_back(Quant::fp8_block);
  if (grid.sm_version >= 100) types.push_back(Quant::nvfp4);
  return types;
}

void emit(const AicGrid& grid, std::span<const AicModel> models, std::span<const DType> kv_types,
          const MlaModuleSink& sink) {
  const int64_t fewest_heads = grid.framework == AicFramework::sglang ? 16 : 1;
  for (const AicModel& model : models)
    for (const Quant gemm : gemm_types(grid))
      for (const DType kv_dtype : kv_types)
        for (const int64_t heads : powers_of_two(fewest_heads, 128))
          sink({.model = Symbol(model.model),
                .architecture = Symbol(model.architecture),
                .kv_dtype = kv_dtype,
                .gemm = gemm,
                .heads = heads});
}

}  // namespace

void emit_aic_context_modules(const AicGrid& grid, std::span<const AicModel> models,
                              std::span<const DType> kv_types, const MlaModuleSink& sink) {
  const std::vector<Size> sizes = context_sizes(grid.framework);
  emit(grid, models, kv_types, [&](MlaModuleCase c) {
    for (const Size& size : sizes) {
      c.batch = size.batch, c.isl = size.length;
      sink(c);
    }
  });
}

void emit_aic_generation_modules(const AicGrid& grid, std::span<const AicModel> models,
                                 std::span<const DType> kv_types, const MlaModuleSink& sink) {
  const std::vector<Size> sizes = generation_sizes(grid.framework);
  emit(grid, models, kv_types, [&](MlaModuleCase c) {
    for (const Size& size : sizes) {
      c.batch = size.batch, c.step = size.length;
      sink(c);
    }
  });
}

void emit_model_context_modules(const std::vector<MlaModuleCase>& prototypes, const MlaModuleSink& sink) {
  for (MlaModuleCase c : prototypes)
    for (const int64_t batch : kBatchLadder)
      for (const int64_t isl : kSequenceLadder) {
        if (batch * isl > kMostContextTokens) continue;
        c.batch = batch, c.isl = isl, c.step = 0;
        sink(c);
      }
}

void emit_model_generation_modules(const std::vector<MlaModuleCase>& prototypes, const MlaModuleSink& sink) {
  for (MlaModuleCase c : prototypes)
    for (const int64_t batch : kBatchLadder)
      for (const int64_t step : kSequenceLadder) {
        if (batch * step > kMostCachedTokens) continue;
        c.batch = batch, c.isl = 1, c.step = step;
        sink(c);
      }
}

}  // namespace perfatlas
