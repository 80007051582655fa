// SPDX-License-Identifier: Apache-2.0
// The whole definition of the op "dsa_mqa_logits": the scores of the lightning indexer (DeepSeek-AI, "DeepSeek-V3.2-
// Exp", 2025, equation 1), which decide what sparse attention looks at.
#pragma once

#include "perfatlas/ops/dsa/dsa_kernel_case.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// logits[t, s] = sum over index heads h of weights[t, h] * max(q[t, h] . k[s], 0) for the positions s that token t
/// sees (DsaShape), 0 for the others. The cache holds the keys of all tokens, the new ones included.
struct DsaMqaLogits : DsaKernelCase {
  bool operator==(const DsaMqaLogits&) const = default;

  static constexpr OpInfo info{
      .id = "dsa_mqa_logits",
      .table = "glm5_mqa_logits_module_perf",
      .op_name = "glm5_mqa_logits_module",
      .doc = "Lightning indexer: weighted rectified products of every index head with the paged index cache.",
      .sol =
          "max(2*batch_size*index_heads*index_dim*pairs / peak(mla_dtype), batch_size*(step + isl)*index_dim*"
          "kv_bytes / memory_bw, (q + weights + 4*batch_size*pairs bytes) / llc_bw); pairs = sum over i < "
          "isl of "
          "step + i + 1",
  };

  static constexpr auto fields = std::tuple_cat(
      kDsaFieldsBeforeHeads,
      std::tuple{field("num_heads", &DsaKernelCase::heads, Role::recorded,
                       "query heads of the model: the index heads follow from the architecture")
                     .flagged("heads")},
      kDsaFieldsBehindHeads);
  static const std::array<Axis<DsaMqaLogits>, 3> axes;
  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: every new token is scored against its own context, so that step, isl and "
          "batch "
          "count by themselves; the indexer is not split over ranks",
  };

  std::string_view why_invalid() const { return why_invalid_case(); }
  Work work() const;

  /// q[batch*isl, index_heads, index_dim] (bf16 for 8-bit products), weights[batch*isl, index_heads] f32,
  /// k_cache[pages, 64, index_dim] (kv), page_table (dsa_page_table), logits[batch*isl, step + isl] f32 output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Architectures and types of the models x kBatchLadder x kSequenceLadder: isl new tokens without prefix, and one new
  /// token after as many cached ones; at most kMostDsaScores scores.
  static void model_cases(const ModelShapes& shapes, const CaseSink<DsaMqaLogits>& sink);
};
inline constexpr std::array<Axis<DsaMqaLogits>, 3> DsaMqaLogits::axes = kDsaTokenAxes<DsaMqaLogits>;
static_assert(Operation<DsaMqaLogits>);

/// Position of each operand of DsaMqaLogits.
enum DsaLogitsOperand : size_t {
  logits_q_at,
  logits_weights_at,
  logits_cache_at,
  logits_page_table_at,
  logits_out_at
};

}  // namespace perfatlas
