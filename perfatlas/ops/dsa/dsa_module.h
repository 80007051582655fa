// SPDX-License-Identifier: Apache-2.0
// The whole definition of the four sparse attention blocks: context and generation, with an indexer of its own or with
// the selection of an earlier layer. One rank, from the hidden state to the output projection, without the all-reduce
// behind it (DeepSeek-AI, "DeepSeek-V3.2-Exp", 2025; reference inference code of that release for norms and RoPE).
#pragma once

#include "perfatlas/ops/dsa/dsa_kernel_case.h"
#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

enum class DsaPhase { context, generation };
enum class DsaIndexer {
  own,     // chooses its tokens and hands the choice on
  shared,  // attends to the tokens that an earlier layer chose (GLM-5.2 chooses in one layer of four)
};

/// Position of each operand. Those before dsa_w_uk_at are the first ones of MlaModuleOperand.
enum DsaModuleOperand : size_t {
  dsa_w_uk_at = 10,
  dsa_w_uv_at,
  dsa_module_selected_at,
  dsa_module_out_at,
  dsa_w_index_q_at,  // from here on only with an indexer
  dsa_w_index_head_at,
  dsa_index_scale_at,
  dsa_index_shift_at,
  dsa_index_cache_at,
};

DsaShape dsa_shape_of(const MlaModuleCase& c);
std::string_view why_invalid_dsa_module(const MlaModuleCase& c, DsaPhase phase);
Work dsa_module_work(const MlaModuleCase& c, DsaIndexer indexer);
Operands dsa_module_operands(const MlaModuleCase& c, DsaIndexer indexer);
void dsa_module_reference(const MlaModuleCase& c, DsaIndexer indexer, std::vector<HostOperand>& data);
void dsa_module_aic_cases(const AicGrid& grid, DsaPhase phase, DsaIndexer indexer,
                          const std::function<void(const MlaModuleCase&)>& sink);
void dsa_module_model_cases(const std::vector<MlaModuleCase>& prototypes, DsaPhase phase,
                            const std::function<void(const MlaModuleCase&)>& sink);

inline constexpr std::string_view kDsaContextWhy =
    "token-non-equivalent: below topk cached tokens attention grows with the square of isl, above it the "
    "indexer does, "
    "while everything else is linear in batch*isl; no one transform makes that straight, so the prefix is an "
    "axis";
inline constexpr std::string_view kDsaGenerationWhy =
    "token-non-equivalent: the projections depend on batch, the indexer on batch*s, the attention on "
    "batch*min(s, topk)";

inline constexpr std::string_view kDsaBlockSol =
    "max(2*tokens*weights + 2*batch_size*num_heads*(2*kv_lora + rope)*pairs + "
    "2*batch_size*index_heads*index_dim*scored "
    "over the peak of the faster type, (weights*gemm_bytes + batch_size*(cached latents and index keys read "
    "+ "
    "written)*kv_bytes) / memory_bw, (x + out bytes) / llc_bw); pairs = sum over i < isl of min(step + i + "
    "1, topk); "
    "scored = sum of step + i + 1 over the i < isl where it is above topk";

constexpr OpInfo dsa_module_info(DsaPhase phase, DsaIndexer indexer) {
  const bool context = phase == DsaPhase::context;
  if (indexer == DsaIndexer::own)
    return {.id = context ? "dsa_context_module" : "dsa_generation_module",
            .table = context ? "dsa_context_module_perf" : "dsa_generation_module_perf",
            .op_name = context ? "dsa_context_module" : "dsa_generation_module",
            .doc = context ? "Whole sparse attention block for new tokens: projections, norms, RoPE, cache "
                             "writes, indexer, "
                             "selection, attention to selected tokens, output projection."
                           : "Whole sparse attention block for one new token per sequence, with indexer.",
            .sol = kDsaBlockSol};
  return {
      .id = context ? "dsa_context_module_skip_indexer" : "dsa_generation_module_skip_indexer",
      .table = context ? "dsa_context_module_skip_indexer_perf" : "dsa_generation_module_skip_indexer_perf",
      .op_name = context ? "dsa_context_module_skip_indexer" : "dsa_generation_module_skip_indexer",
      .doc =
          context
              ? "Whole sparse attention block for new tokens that reuses the selection of an earlier layer."
              : "Whole sparse attention block for one new token per sequence that reuses a selection.",
      .sol = kDsaBlockSol,
      .published_table = context ? "dsa_context_module_perf" : "dsa_generation_module_perf"};
}

/// Absorbed attention of every new token to at most topk cached ones:
///   (q', c', r', i') = x w_down^T (i' only with an indexer); q = norm(q') w_q^T per head (nope, rope); c = norm(c');
///   rope parts of q and r' rotated; (c, r) goes to the paged cache;
///   indexer: qi = norm(q') w_index_q^T per index head and ki = layer_norm(i'), the first `rope` elements of both
///   rotated; ki goes to the paged index cache; u = x w_index_head^T; the selection is that of dsa_mqa_logits
///   (weights u) and dsa_topk. The constant factor of the scores is left out: it changes no order;
///   out = concat over heads of (dsa_attention of (q_nope w_uk, q_rope)) w_uv, times w_out^T.
template <DsaPhase phase, DsaIndexer indexer>
struct DsaModule : MlaModuleCase {
  DsaModule(MlaModuleCase c = {}) : MlaModuleCase(std::move(c)) {
    if (model == Symbol()) model = default_dsa_model();
    if (architecture == Symbol()) architecture = default_dsa_architecture();
  }
  bool operator==(const DsaModule&) const = default;

  static constexpr DsaIndexer kIndexer = indexer;
  static constexpr OpInfo info = dsa_module_info(phase, indexer);
  static constexpr auto fields = kMlaModuleFields;
  static const std::array<Axis<DsaModule>, phase == DsaPhase::context ? 4 : 3> axes;
  static constexpr TableLayout layout{.merge = kSparseBlockMerge,
                                      .why = phase == DsaPhase::context ? kDsaContextWhy : kDsaGenerationWhy};

  std::string_view why_invalid() const { return why_invalid_dsa_module(*this, phase); }
  Work work() const { return dsa_module_work(*this, indexer); }

  /// x, w_down[q_lora + kv_lora + rope (+ index_dim), hidden], q_norm, kv_norm, w_q, w_out, cos_sin, position, cache,
  /// page_table as MlaContextModule; w_uk[heads*nope, kv_lora], w_uv[heads*kv_lora, v]; selected[tokens, topk] int32:
  /// an output and a choice with an indexer (positions, ascending, then -1), else an input (dsa_selection); out[tokens,
  /// hidden]; with an indexer w_index_q[index_heads*index_dim, q_lora], w_index_head[index_heads, hidden], index_scale
  /// and index_shift[index_dim], index_cache[pages, 64, index_dim] (kv, written).
  Operands operands() const { return dsa_module_operands(*this, indexer); }

  /// Results of every part are rounded to the activation type, as they are handed on. A choice that is given in
  /// `selected` is kept where every chosen score comes as close to the topk-th largest one as rounding lets scores
  /// come.
  void reference(std::vector<HostOperand>& data) const { dsa_module_reference(*this, indexer, data); }

  /// Architectures, heads and types of the models x kBatchLadder x kSequenceLadder, within the published token guards.
  static void model_cases(const ModelShapes& shapes, const CaseSink<DsaModule>& sink) {
    const std::vector<DsaModule> found = shapes.of<DsaModule>();
    dsa_module_model_cases({found.begin(), found.end()}, phase, sink);
  }

  /// The published grid: TensorRT-LLM context 3,904 and generation 5,888 cases at sm 90, 11,712 and 17,664 from sm 100
  /// on. The kernels need sm 90. Without an indexer only SGLang has measured.
  static void aic_cases(const AicGrid& grid, const CaseSink<DsaModule>& sink) {
    dsa_module_aic_cases(grid, phase, indexer, sink);
  }
};

template <DsaPhase phase, DsaIndexer indexer>
inline constexpr std::array<Axis<DsaModule<phase, indexer>>, phase == DsaPhase::context ? 4 : 3>
    DsaModule<phase, indexer>::axes = [] {
      if constexpr (phase == DsaPhase::context)
        return mla_context_axes<DsaModule<phase, indexer>>(Transform::raw, Beyond::value);
      else
        return mla_generation_axes<DsaModule<phase, indexer>>();
    }();

using DsaContextModule = DsaModule<DsaPhase::context, DsaIndexer::own>;
using DsaGenerationModule = DsaModule<DsaPhase::generation, DsaIndexer::own>;
using DsaContextModuleSkipIndexer = DsaModule<DsaPhase::context, DsaIndexer::shared>;
using DsaGenerationModuleSkipIndexer = DsaModule<DsaPhase::generation, DsaIndexer::shared>;

}  // namespace perfatlas
