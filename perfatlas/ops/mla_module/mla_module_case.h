// SPDX-License-Identifier: Apache-2.0
// The fields that whole latent attention blocks share, dense and sparse: the columns of the published *_module tables.
#pragma once

#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/ops/mla_module/mla_geometry.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

struct MlaModuleCase {
  Symbol model;         // never empty: files have no empty cells
  Symbol architecture;  // of mla_geometries()
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  Quant gemm = Quant::bf16;
  int64_t heads = 1;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 0;
  bool operator==(const MlaModuleCase&) const = default;

  /// REQUIRES: a known architecture (why_invalid_mla_module).
  const MlaGeometry& geometry() const { return *find_mla_geometry(architecture); }
  int64_t tokens() const { return batch * isl; }
  int64_t context_tokens() const { return step + isl; }
  int64_t pages_per_sequence() const { return (context_tokens() + kPageTokens - 1) / kPageTokens; }
  int64_t pages() const { return batch * pages_per_sequence(); }
  /// Of everything that is handed from one part of the block to the next.
  DType activation() const { return bits_of(dtype) >= 16 ? dtype : DType::bf16; }
};

inline constexpr auto kMlaModuleFields = std::tuple{
    field("model", &MlaModuleCase::model, Role::recorded, "checkpoint whose sizes were taken"),
    field("architecture", &MlaModuleCase::architecture, Role::exact,
          "fixes every size but the heads: an architecture of ops/mla_module/mla_geometry.cpp"),
    field("mla_dtype", &MlaModuleCase::dtype, Role::exact, "type of the products of attention")
        .flagged("dtype"),
    field("kv_cache_dtype", &MlaModuleCase::kv_dtype, Role::exact, "stored type of the cache")
        .flagged("kv_dtype"),
    field("gemm_type", &MlaModuleCase::gemm, Role::exact, "quantisation of the linear layers")
        .flagged("gemm"),
    field("num_heads", &MlaModuleCase::heads, Role::axis, "query heads on this rank").flagged("heads"),
    field("batch_size", &MlaModuleCase::batch, Role::axis, "sequences of equal length").flagged("batch"),
    field("isl", &MlaModuleCase::isl, Role::axis, "new tokens per sequence"),
    field("tp_size", &MlaModuleCase::tp, Role::recorded, "ranks of the model; heads are local already")
        .distinguishing()
        .flagged("tp"),
    field("step", &MlaModuleCase::step, Role::axis, "tokens per sequence already in the cache"),
};

/// heads, step, isl, batch: a context block. `isl` as its transform says; beyond the data step and isl as `beyond`.
template <class Op>
constexpr std::array<Axis<Op>, 4> mla_context_axes(Transform isl, Beyond beyond = Beyond::work) {
  return {axis<&MlaModuleCase::heads, Op>("heads"),
          axis<&MlaModuleCase::step, Op>("step").straight_in(beyond),
          axis<&MlaModuleCase::isl, Op>("isl", isl).straight_in(beyond),
          axis<&MlaModuleCase::batch, Op>("batch")};
}

/// heads, batch, s = isl + step: a generation block.
template <class Op>
constexpr std::array<Axis<Op>, 3> mla_generation_axes() {
  return {axis<&MlaModuleCase::heads, Op>("heads"), axis<&MlaModuleCase::batch, Op>("batch"),
          Axis<Op>{"s", [](const Op& op) { return op.isl + op.step; },
                   [](Op& op, int64_t s) { op.step = s - op.isl; }}};
}

/// Published tables of sparse blocks: kernels are told apart, and of rows that one file repeats the last counts.
inline constexpr TableMerge kSparseBlockMerge{.repeats = TableMerge::Repeats::last_counts, .by_kernel = true};

/// Empty when the case makes sense somewhere, whatever the kind of block.
std::string_view why_invalid_mla_module(const MlaModuleCase& c);

/// Parts of the work of a block: the linear layers and what goes in and out. `linear_weights`: elements of the weights
/// that every token of the step is multiplied with once.
Work mla_module_work(const MlaModuleCase& c, double linear_weights);

/// Operands that every block has; the table of cosines and sines covers the positions of the new tokens alone.
Operand mla_input(const MlaModuleCase& c);                                           // x[tokens, hidden]
Operand mla_weight(const MlaModuleCase& c, const char* name, int64_t n, int64_t k);  // [n, k], of gemm_type
Operand mla_norm_weight(const MlaModuleCase& c, const char* name, int64_t width);    // [width]
Operand mla_cos_sin(const MlaModuleCase& c);   // [isl, rope] f32: cosines, then sines, of position step + row
Operand mla_position(const MlaModuleCase& c);  // [tokens] int32: the row of each token in cos_sin
Operand mla_cache(const MlaModuleCase& c);     // [pages, 64, kv_lora + rope] (kv, written)
Operand mla_page_table(const MlaModuleCase& c);  // [batch, pages_per_sequence] int32
Operand mla_output(const MlaModuleCase& c);      // out[tokens, hidden]

}  // namespace perfatlas
