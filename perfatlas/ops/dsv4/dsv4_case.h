// SPDX-License-Identifier: Apache-2.0
// The fields that all DeepSeek-V4 attention tables share, the sizes behind them, and their speed of light.
//
// A token attends to a window of the newest tokens and to compressed ones: one per compress_ratio tokens, of which CSA
// (ratio 4) selects some through an indexer and HCA (ratio 128) takes all. The inside of the compression is not public:
// there is neither a reference nor a kernel.
#pragma once

#include "perfatlas/schema/op.h"

namespace perfatlas {

inline constexpr int64_t kCsaRatio = 4, kHcaRatio = 128;

/// Sizes of DeepSeek-V4-Pro, as its config.json has them.
struct Dsv4Geometry {
  int64_t hidden = 7168, q_lora = 1536, o_lora = 1024, head_dim = 512, rope = 64;
  int64_t index_heads = 64, index_dim = 128, topk = 1024, window = 128, o_groups = 16;
};

/// Those of the checkpoint with so many query heads on all ranks: 64 is DeepSeek-V4-Flash; every other one is taken for
/// Pro (128), the larger one.
constexpr Dsv4Geometry dsv4_geometry(int64_t all_heads) {
  constexpr int64_t kFlashHeads = 64;
  if (all_heads != kFlashHeads) return {};
  return {.hidden = 4096, .q_lora = 1024, .topk = 512, .o_groups = 8};
}

struct Dsv4Case {
  Symbol model{"deepseek-ai/DeepSeek-V4-Pro"};
  Symbol architecture{"DeepseekV4ForCausalLM"};
  DType dtype = DType::bf16;
  DType kv_dtype = DType::fp8_e4m3;
  Quant gemm = Quant::fp8_block;
  int64_t heads = 128;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 0;
  int64_t compress = kCsaRatio;
  int64_t local_heads = 128;
  bool operator==(const Dsv4Case&) const = default;

  int64_t tokens() const { return batch * isl; }
  int64_t all_heads() const { return heads; }
  Dsv4Geometry geometry() const { return dsv4_geometry(heads * tp); }
  std::string_view why_invalid_case() const;
};

inline constexpr auto kDsv4Fields = std::tuple{
    field("model", &Dsv4Case::model, Role::recorded, "checkpoint whose sizes were taken"),
    field("architecture", &Dsv4Case::architecture, Role::recorded, "as config.json names it"),
    field("mla_dtype", &Dsv4Case::dtype, Role::exact, "type of the products of attention").flagged("dtype"),
    field("kv_cache_dtype", &Dsv4Case::kv_dtype, Role::exact, "stored type of the cache").flagged("kv_dtype"),
    field("gemm_type", &Dsv4Case::gemm, Role::exact, "quantisation of the linear layers").flagged("gemm"),
    field("num_heads", &Dsv4Case::heads, Role::exact, "query heads on this rank").flagged("heads"),
    field("batch_size", &Dsv4Case::batch, Role::axis, "sequences of equal length").flagged("batch"),
    field("isl", &Dsv4Case::isl, Role::axis, "new tokens per sequence"),
    field("tp_size", &Dsv4Case::tp, Role::exact,
          "ranks of the model: with num_heads it gives the model's own heads")
        .flagged("tp"),
    field("step", &Dsv4Case::step, Role::axis, "tokens per sequence already in the cache"),
    field("compress_ratio", &Dsv4Case::compress, Role::exact,
          "tokens per compressed one: 4 (CSA) or 128 (HCA)")
        .flagged("compress"),
};

/// The kernels' tables may say once more how many heads are on this rank.
inline constexpr auto kDsv4KernelFields = std::tuple_cat(
    kDsv4Fields, std::tuple{field("local_num_heads", &Dsv4Case::local_heads, Role::recorded, "as num_heads")
                                .absent_follows(&Dsv4Case::all_heads)
                                .flagged("local_heads")});

/// Query-key pairs of one head over all sequences: newest tokens, and compressed ones.
struct Dsv4Pairs {
  double window = 0, compressed = 0;
};
/// `cached_only`: in generation the new token's own position is not counted.
Dsv4Pairs dsv4_pairs(const Dsv4Case& c, bool cached_only);

/// Whole block: projections, compression, indexer (CSA), attention, output projection.
Work dsv4_module_work(const Dsv4Case& c, bool generation);
/// One kernel of it: scores of the indexer, attention to selected or to all compressed tokens, selection of the top.
Work dsv4_logits_work(const Dsv4Case& c);
Work dsv4_attention_work(const Dsv4Case& c);
Work dsv4_selection_work(const Dsv4Case& c);

/// step, isl, batch.
template <class Op>
constexpr std::array<Axis<Op>, 3> dsv4_context_axes() {
  return {axis<&Dsv4Case::step, Op>("step"), axis<&Dsv4Case::isl, Op>("isl"),
          axis<&Dsv4Case::batch, Op>("batch")};
}
/// batch, s = isl + step.
template <class Op>
constexpr std::array<Axis<Op>, 2> dsv4_generation_axes() {
  return {axis<&Dsv4Case::batch, Op>("batch"), Axis<Op>{"s", [](const Op& op) { return op.isl + op.step; },
                                                        [](Op& op, int64_t s) { op.step = s - op.isl; }}};
}

}  // namespace perfatlas
