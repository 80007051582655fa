// SPDX-License-Identifier: Apache-2.0
// The grids of both latent attention ops. Values and guards of the published ones: collectors of aiconfigurator.
#include <limits>

#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostContextTokens = 65536, kMostCachedTokens = 1024 * 4096 * 4;

/// Heads of the model and on how many ranks they are split.
struct Split {
  int64_t total, ranks;
};

std::vector<Split> aic_splits(const AicGrid& grid) {
  std::vector<Split> splits;
  const bool sglang = grid.framework == AicFramework::sglang;
  for (const int64_t total : {64, 128}) {
    if (total == 64 && !sglang) continue;
    for (int64_t ranks = 1; ranks <= (sglang ? 64 : 128); ranks *= 2) splits.push_back({total, ranks});
  }
  return splits;
}

std::vector<DType> aic_cache_types(const AicGrid& grid) {
  if (grid.framework == AicFramework::vllm) return {};
  if (grid.framework == AicFramework::sglang && grid.sm_version < 90) return {};
  if (grid.sm_version <= 86) return {DType::bf16};
  return {DType::bf16, DType::fp8_e4m3};
}

/// Every split and cache type of one batch and length.
template <class Op>
void emit_aic(Op op, const AicGrid& grid, const CaseSink<Op>& sink) {
  for (const Split split : aic_splits(grid))
    for (const DType cache : aic_cache_types(grid)) {
      op.heads = split.total / split.ranks, op.tp = split.ranks, op.kv_dtype = cache;
      sink(op);
    }
}

/// sglang keeps the element index of a cached token within 32 bits, with a page to spare.
bool fits_generation(const AicGrid& grid, int64_t tokens) {
  constexpr int64_t kIndexed = std::numeric_limits<int32_t>::max() / kMlaCached - kPageTokens;
  if (grid.framework == AicFramework::sglang && tokens + kPageTokens > kIndexed) return false;
  return tokens <= kMostCachedTokens;
}

}  // namespace

void MlaContext::model_cases(const ModelShapes& shapes, const CaseSink<MlaContext>& sink) {
  for (MlaContext op : shapes.of<MlaContext>())
    for (const int64_t rows : kBatchLadder)
      for (const int64_t tokens : kSequenceLadder) {
        op.batch = rows, op.isl = tokens, op.step = 0;
        if (rows * tokens <= kMostContextTokens) sink(op);
      }
}

void MlaContext::aic_cases(const AicGrid& grid, const CaseSink<MlaContext>& sink) {
  constexpr int64_t kLengths[] = {1,    16,   32,   64,   128,  256,   512,   1024,  1536,
                                  2048, 3072, 4096, 6144, 8192, 10240, 12288, 16384, 32768};
  for (const int64_t batch : kBatchLadder)
    for (const int64_t isl : kLengths)
      if (batch * isl <= kMostContextTokens) emit_aic<MlaContext>({.batch = batch, .isl = isl}, grid, sink);
}

void MlaGeneration::model_cases(const ModelShapes& shapes, const CaseSink<MlaGeneration>& sink) {
  const std::span<const int64_t> lengths =
      std::span(kSequenceLadder).subspan(1);  // a cache with something in it
  for (MlaGeneration op : shapes.of<MlaGeneration>())
    for (const int64_t rows : kBatchLadder)
      for (const int64_t s : lengths) {
        op.batch = rows, op.isl = 1;
        set_s(op, s);
        if (rows * s <= kMostCachedTokens) sink(op);
      }
}

void MlaGeneration::aic_cases(const AicGrid& grid, const CaseSink<MlaGeneration>& sink) {
  for (int64_t batch = 1; batch <= 1024; batch *= 2)
    for (int64_t s = 2; s <= 131072; s *= 2)
      if (fits_generation(grid, batch * s))
        emit_aic<MlaGeneration>({.batch = batch, .step = s - 1}, grid, sink);
}

}  // namespace perfatlas
