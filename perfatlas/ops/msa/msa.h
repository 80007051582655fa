// SPDX-License-Identifier: Apache-2.0
// The ops "msa_context_module" and "msa_generation_module": a block-sparse attention block of MiniMax-M3 on one rank,
// from the hidden state to the output projection. Imported tables only: no formula of the block's selection is public,
// so there is neither a reference nor a kernel. The speed of light follows from its published sizes.
#pragma once

#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

/// Sizes of MiniMaxM3ForCausalLM; 8 query heads share a key/value head. An indexer scores blocks of tokens once the
/// context is longer than the tokens that are selected.
struct MsaGeometry {
  int64_t hidden = 6144, head_dim = 128, value_dim = 128, heads_per_kv = 8;
  int64_t index_heads = 4, index_dim = 128, topk = 2048, block = 128;
};

/// The columns of MlaModuleCase; heads are query heads on this rank.
struct MsaCase : MlaModuleCase {
  MsaCase() { set_names(*this); }
  MsaCase(MlaModuleCase c) : MlaModuleCase(std::move(c)) { set_names(*this); }

  /// Names the only architecture where none is named.
  static void set_names(MlaModuleCase& c);
  std::string_view why_invalid_msa() const;
  /// `pairs`: query-key pairs per head; `context`: tokens that the indexer scores for each of a sequence's tokens.
  Work msa_work(double pairs, int64_t context) const;
};

inline constexpr auto kMsaFields = std::tuple{
    field("model", &MlaModuleCase::model, Role::recorded, "checkpoint whose sizes were taken"),
    field("architecture", &MlaModuleCase::architecture, Role::exact, "MiniMaxM3ForCausalLM"),
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
        .flagged("tp"),
    field("step", &MlaModuleCase::step, Role::axis, "tokens per sequence already in the cache"),
};

struct MsaContextModule : MsaCase {
  using MsaCase::MsaCase;
  bool operator==(const MsaContextModule&) const = default;

  static constexpr OpInfo info{
      .id = "msa_context_module",
      .table = "msa_context_module_perf",
      .op_name = "msa_context_module",
      .doc = "Whole block-sparse attention block of MiniMax-M3 for new tokens; imported tables only.",
      .sol =
          "max(2*tokens*weights + 4*num_heads*head_dim*pairs + index products over the peak of the fastest "
          "type, "
          "(weights*gemm_bytes + selected keys and values) / memory_bw); pairs = batch_size * sum over i < "
          "isl of "
          "min(step + i + 1, 2048)",
  };
  static constexpr auto fields = kMsaFields;
  static const std::array<Axis<MsaContextModule>, 4> axes;
  static constexpr TableLayout layout{
      .merge = kSparseBlockMerge,
      .why =
          "token-non-equivalent: pairs grow with the square of isl up to the selected tokens and linearly "
          "beyond, so "
          "that batch*isl does not fix the work",
  };

  std::string_view why_invalid() const { return why_invalid_msa(); }
  Work work() const;
  /// The published grid: that of the latent attention modules with prefixes 0 and 128; 3,904 cases at sm 90, 5,856 from
  /// sm 100 on (TensorRT-LLM).
  static void aic_cases(const AicGrid& grid, const CaseSink<MsaContextModule>& sink);
};
inline constexpr std::array<Axis<MsaContextModule>, 4> MsaContextModule::axes =
    mla_context_axes<MsaContextModule>(Transform::raw);
static_assert(Operation<MsaContextModule>);

struct MsaGenerationModule : MsaCase {
  using MsaCase::MsaCase;
  bool operator==(const MsaGenerationModule&) const = default;

  static constexpr OpInfo info{
      .id = "msa_generation_module",
      .table = "msa_generation_module_perf",
      .op_name = "msa_generation_module",
      .doc =
          "Whole block-sparse attention block of MiniMax-M3 for one new token per sequence; imported tables "
          "only.",
      .sol =
          "max(2*batch_size*weights + 4*num_heads*head_dim*batch_size*min(step, 2048) + index products over "
          "the peak "
          "of the fastest type, (weights*gemm_bytes + selected keys and values) / memory_bw)",
  };
  static constexpr auto fields = kMsaFields;
  static const std::array<Axis<MsaGenerationModule>, 3> axes;
  static constexpr TableLayout layout{
      .merge = kSparseBlockMerge,
      .why =
          "token-non-equivalent: the projections depend on batch alone, the attention on the selected tokens "
          "of every "
          "sequence",
  };

  std::string_view why_invalid() const {
    if (isl != 1) return "isl must be 1: generation takes one new token per sequence";
    return why_invalid_msa();
  }
  Work work() const;
  /// The published grid: 2,944 cases at sm 90, 4,416 from sm 100 on (TensorRT-LLM).
  static void aic_cases(const AicGrid& grid, const CaseSink<MsaGenerationModule>& sink);
};
inline constexpr std::array<Axis<MsaGenerationModule>, 3> MsaGenerationModule::axes =
    mla_generation_axes<MsaGenerationModule>();
static_assert(Operation<MsaGenerationModule>);

}  // namespace perfatlas
