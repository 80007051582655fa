// SPDX-License-Identifier: Apache-2.0
// The whole definition of the op "dsa_topk": which tokens sparse attention looks at.
#pragma once

#include "perfatlas/ops/dsa/dsa_kernel_case.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// How the scores are distributed: the time of a selection depends on it.
enum class ScoreMode {
  normal,    // normal(0, 1)
  flat,      // all zero: every score ties with the threshold
  top_last,  // the last topk columns stand out: 5 + bell against -5 + bell/20 before them
};

template <>
inline constexpr auto kEnumNames<ScoreMode> =
    std::array{EnumName<ScoreMode>{ScoreMode::normal, "normal"}, EnumName<ScoreMode>{ScoreMode::flat, "flat"},
               EnumName<ScoreMode>{ScoreMode::top_last, "top_last"}};

/// For every new token the positions of its topk largest scores among those it sees (DsaShape), ascending; of equal
/// scores the lower positions. A token that sees no more than topk positions gets all of them, then -1.
struct DsaTopk : DsaKernelCase {
  ScoreMode mode = ScoreMode::normal;
  bool operator==(const DsaTopk&) const = default;

  static constexpr OpInfo info{
      .id = "dsa_topk",
      .table = "glm5_topk_module_perf",
      .op_name = "glm5_topk_module",
      .doc = "Positions of the largest indexer scores of every new token.",
      .sol =
          "(4*batch_size*contested + 4*batch_size*isl*topk) / llc_bw; contested = sum of step + i + 1 over "
          "the i < isl "
          "where it is above topk",
      .zero_is_measured = true,  // nothing is selected while the context is short
  };

  static constexpr auto fields = std::tuple_cat(
      kDsaFieldsBeforeHeads,
      std::tuple{field("num_heads", &DsaKernelCase::heads, Role::recorded,
                       "query heads of the model: all of them share one selection")
                     .flagged("heads")},
      kDsaFieldsBehindHeads,
      std::tuple{field("score_mode", &DsaTopk::mode, Role::exact, "distribution of the scores")});
  static const std::array<Axis<DsaTopk>, 3> axes;
  static constexpr TableLayout layout{
      .why =
          "token-non-equivalent: the row that a token's selection reads is as long as its context; nothing "
          "is read "
          "while the context does not exceed topk",
  };

  std::string_view why_invalid() const { return why_invalid_case(); }
  Work work() const;

  /// logits[batch*isl, step + isl] f32 activation, selected[batch*isl, topk] int32 output.
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// The grid of DsaMqaLogits, with normal scores.
  static void model_cases(const ModelShapes& shapes, const CaseSink<DsaTopk>& sink);
};
inline constexpr std::array<Axis<DsaTopk>, 3> DsaTopk::axes = kDsaTokenAxes<DsaTopk>;
static_assert(Operation<DsaTopk>);

}  // namespace perfatlas
