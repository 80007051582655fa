// SPDX-License-Identifier: Apache-2.0
// The grids of both attention ops. Values and guards of the published ones: collectors of aiconfigurator.
#include <limits>
#include <map>
#include <set>

#include "perfatlas/ops/attention/attention.h"

namespace perfatlas {
namespace {

constexpr int64_t kKvHeads[] = {1, 2, 4, 8};

struct Types {
  DType compute, cache;
};

/// Published combinations: fp8 exists above sm 86 (sglang: from 90); decode always computes in 16 bits, and so does
/// vllm.
std::vector<Types> aic_types(const AicGrid& grid, bool fp8_compute) {
  std::vector<Types> types = {{DType::bf16, DType::bf16}};
  if (grid.sm_version <= (grid.framework == AicFramework::sglang ? 89 : 86)) return types;
  types.push_back({DType::bf16, DType::fp8_e4m3});
  if (fp8_compute && grid.framework != AicFramework::vllm)
    types.push_back({DType::fp8_e4m3, DType::fp8_e4m3});
  return types;
}

/// Head sizes and windows: the grids of vllm and sglang have 128 without window only.
struct HeadKind {
  int64_t head_dim, window;
};
std::vector<HeadKind> aic_head_kinds(const AicGrid& grid) {
  if (grid.framework == AicFramework::trtllm) return {{64, 0}, {64, 128}, {128, 0}};
  return {{128, 0}};
}

/// Whether the published prefill grid has grouped queries of this shape: the TensorRT-LLM kernels of sm 100 take large
/// groups only in multiples of 32. vllm names multi-head attention a second time among the groups.
bool aic_has_group(const AicGrid& grid, int64_t heads, int64_t kv_heads) {
  if (heads % kv_heads != 0 || kv_heads > heads) return false;
  if (kv_heads == heads) return grid.framework == AicFramework::vllm;
  const int64_t group = heads / kv_heads;
  return grid.framework != AicFramework::trtllm || grid.sm_version < 100 || group < 32 || group % 32 == 0;
}

/// Token budgets of prefill: 65536 tokens and 128 sequences for multi-head attention, 131072 tokens for grouped
/// queries, and an output of less than 2^31 - 1 elements at head size 128 and twice the kv heads.
bool fits_context_budget(const AttentionContext& op) {
  const int64_t tokens = op.batch * op.isl;
  const bool multi_head = op.kv_heads == op.heads;
  if (tokens > (multi_head ? 65536 : 131072) || (multi_head && op.batch > 128)) return false;
  return tokens * op.kv_heads * 128 * 2 < std::numeric_limits<int32_t>::max();
}

struct BatchAndContext {
  int64_t batch, s;
};

/// Most tokens times heads of a decode step.
constexpr int64_t kMultiHeadBudget = 8192 * 1024, kGroupedBudget = 2 * kMultiHeadBudget;

/// Which (batch, context length) pairs of decode are measured: batch * s * heads stays within `budget`, up to the first
/// batch that does not; a length with fewer than 4 batches is left out, and so is the longest one of each batch from
/// 256 on.
std::vector<BatchAndContext> decode_pairs(std::span<const int64_t> batches, std::span<const int64_t> lengths,
                                          int64_t heads, int64_t budget) {
  std::map<int64_t, std::vector<int64_t>> lengths_of_batch;
  for (const int64_t s : lengths) {
    std::set<int64_t> allowed;
    for (const int64_t batch : batches) {
      if (batch > budget / s / heads) break;
      allowed.insert(batch);
    }
    if (allowed.size() < 4) continue;
    for (const int64_t batch : allowed) lengths_of_batch[batch].push_back(s);
  }
  std::vector<BatchAndContext> pairs;
  for (auto& [batch, kept] : lengths_of_batch) {
    if (batch >= 256) kept.pop_back();
    for (const int64_t s : kept) pairs.push_back({batch, s});
  }
  return pairs;
}

std::vector<int64_t> powers_of_two(int64_t first, int64_t last) {
  std::vector<int64_t> powers;
  for (int64_t value = first; value <= last; value *= 2) powers.push_back(value);
  return powers;
}

void emit_aic_context(const AttentionContext& prototype, const AicGrid& grid,
                      const CaseSink<AttentionContext>& sink) {
  constexpr int64_t kLengths[] = {1,    16,   32,   64,   128,  256,   512,   1024, 1536,
                                  2048, 3072, 4096, 6144, 8192, 10240, 12288, 16384};
  for (const int64_t batch : kBatchLadder)
    for (const int64_t isl : kLengths)
      for (const Types types : aic_types(grid, true)) {
        AttentionContext op = prototype;
        op.batch = batch, op.isl = isl, op.dtype = types.compute, op.kv_dtype = types.cache;
        if (fits_context_budget(op)) sink(op);
      }
}

void emit_aic_generation(const AttentionGeneration& prototype, const AicGrid& grid,
                         const CaseSink<AttentionGeneration>& sink) {
  const bool sglang = grid.framework == AicFramework::sglang, vllm = grid.framework == AicFramework::vllm;
  const std::vector<int64_t> lengths = powers_of_two(2, 131072);
  std::vector<int64_t> batches = powers_of_two(1, 2048);
  // In sglang's list 64 also stands before 8, so that a length which does not allow 64 loses 8 to 32, too.
  if (sglang) batches.insert(batches.begin() + 3, 64);
  const bool grouped = prototype.kv_heads != prototype.heads && !vllm;
  for (const auto [batch, s] :
       decode_pairs(batches, lengths, prototype.heads, grouped ? kGroupedBudget : kMultiHeadBudget))
    for (const Types types : aic_types(grid, false)) {
      AttentionGeneration op = prototype;
      op.batch = batch, op.dtype = types.compute, op.kv_dtype = types.cache;
      AttentionGeneration::set_s(op, s);
      sink(op);
    }
}

/// vllm: one list for every kv head count, and on sm 100 groups of at most 16.
void emit_vllm_generation(const AicGrid& grid, std::span<const int64_t> head_counts,
                          const CaseSink<AttentionGeneration>& sink) {
  for (const int64_t heads : head_counts)
    for (const int64_t kv_heads : kKvHeads) {
      if (kv_heads > heads || heads % kv_heads != 0) continue;
      if (grid.sm_version >= 100 && heads / kv_heads > 16) continue;
      emit_aic_generation({.heads = heads, .kv_heads = kv_heads, .head_dim = 128}, grid, sink);
    }
}

}  // namespace

void AttentionContext::model_cases(const ModelShapes& shapes, const CaseSink<AttentionContext>& sink) {
  for (AttentionContext op : shapes.of<AttentionContext>())
    for (const int64_t batch : kBatchLadder)
      for (const int64_t isl : kSequenceLadder) {
        op.batch = batch, op.isl = isl, op.step = 0;
        if (fits_context_budget(op)) sink(op);
      }
}

void AttentionContext::aic_cases(const AicGrid& grid, const CaseSink<AttentionContext>& sink) {
  constexpr int64_t kHeads[] = {1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64, 96};
  for (const HeadKind kind : aic_head_kinds(grid))
    for (const int64_t heads : kHeads) {
      if (heads == 96 && grid.framework == AicFramework::vllm) continue;
      AttentionContext op{
          .heads = heads, .kv_heads = heads, .head_dim = kind.head_dim, .window = kind.window};
      emit_aic_context(op, grid, sink);
      for (const int64_t kv_heads : kKvHeads) {
        if (!aic_has_group(grid, heads, kv_heads)) continue;
        op.kv_heads = kv_heads;
        emit_aic_context(op, grid, sink);
      }
    }
}

void AttentionGeneration::model_cases(const ModelShapes& shapes, const CaseSink<AttentionGeneration>& sink) {
  const std::span<const int64_t> lengths =
      std::span(kSequenceLadder).subspan(1);  // a cache with something in it
  for (AttentionGeneration op : shapes.of<AttentionGeneration>())
    for (const auto [batch, s] : decode_pairs(kBatchLadder, lengths, op.heads,
                                              op.kv_heads == op.heads ? kMultiHeadBudget : kGroupedBudget)) {
      op.batch = batch, op.isl = 1;
      set_s(op, s);
      sink(op);
    }
}

void AttentionGeneration::aic_cases(const AicGrid& grid, const CaseSink<AttentionGeneration>& sink) {
  constexpr int64_t kMultiHeads[] = {1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 64};
  constexpr int64_t kGroupedHeads[] = {1, 2, 4, 8, 16, 32, 64, 96, 128};
  if (grid.framework == AicFramework::vllm) return emit_vllm_generation(grid, kMultiHeads, sink);
  for (const auto [head_dim, window] : aic_head_kinds(grid)) {
    if (window == 0)
      for (const int64_t heads : kMultiHeads)
        emit_aic_generation({.heads = heads, .kv_heads = heads, .head_dim = head_dim}, grid, sink);
    for (const int64_t heads : kGroupedHeads)
      for (const int64_t kv_heads : kKvHeads)
        if (aic_has_group(grid, heads, kv_heads))
          emit_aic_generation({.heads = heads, .kv_heads = kv_heads, .head_dim = head_dim, .window = window},
                              grid, sink);
  }
}

}  // namespace perfatlas
