// SPDX-License-Identifier: Apache-2.0
// The whole definition of the op "mla_bmm": the per-head products around absorbed latent attention. Before it, the part
// of a query that is not rotated is multiplied by the key expansion; after it, the latent result by the value expansion
// (DeepSeek-V2, arXiv:2405.04434, section 2.1.2). Sizes are those of one rank: local heads.
#pragma once

#include "perfatlas/ops/mla/mla_geometry.h"
#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// Which side of the attention; the names are those of published tables.
enum class MlaBmmDirection { pre, post };

template <>
inline constexpr auto kEnumNames<MlaBmmDirection> = std::array{
    EnumName<MlaBmmDirection>{MlaBmmDirection::pre, "mla_gen_pre", "pre"},
    EnumName<MlaBmmDirection>{MlaBmmDirection::post, "mla_gen_post", "post"},
};

/// y[t, h, :] = x[t, h, :] w[h, :, :] for every token and head; 128 to 512 elements before the attention, 512 to 128
/// after it.
struct MlaBmm {
  MlaBmmDirection direction = MlaBmmDirection::pre;
  Quant dtype = Quant::bf16;
  int64_t tokens = 1;
  int64_t heads = 128;
  bool operator==(const MlaBmm&) const = default;

  int64_t depth() const { return direction == MlaBmmDirection::pre ? kMlaNope : kMlaLatent; }
  int64_t columns() const { return direction == MlaBmmDirection::pre ? kMlaLatent : kMlaValue; }

  static constexpr OpInfo info{
      .id = "mla_bmm",
      .table = "mla_bmm_perf",
      .op_name = "",  // the direction
      .doc = "Per-head product that absorbs the key expansion into queries, or expands the latent result.",
      .sol =
          "max(2*num_tokens*num_heads*128*512 / peak(bmm_dtype), num_heads*128*512*weight_bytes / memory_bw, "
          "640*num_tokens*num_heads*bytes / llc_bw)",
  };

  static constexpr auto fields = std::tuple{
      field("op_name", &MlaBmm::direction, Role::exact, "before or after the attention").flagged("direction"),
      field("bmm_dtype", &MlaBmm::dtype, Role::exact, "quantisation of weights and activations")
          .flagged("dtype"),
      field("num_tokens", &MlaBmm::tokens, Role::axis, "tokens in the step").flagged("tokens"),
      field("num_heads", &MlaBmm::heads, Role::axis, "heads on this rank").flagged("heads"),
  };

  static constexpr auto axes = std::array{
      axis<&MlaBmm::heads, MlaBmm>("heads"),
      axis<&MlaBmm::tokens, MlaBmm>("tokens"),
  };

  static constexpr TableLayout layout{
      .clamp_to_sol = true,
      .why =
          "token-equivalent: work depends on the tokens of the step only, not on how batch and sequence "
          "share them; "
          "every head is a product of its own",
  };

  /// Position of each operand in operands().
  enum At : size_t { x_at, w_at, y_at };

  std::string_view why_invalid() const;
  Work work() const;
  /// x[tokens, heads, depth] activation, w[heads, depth, columns] weight in the weight type of `dtype`,
  /// y[tokens, heads, columns] output; x and y in bf16 when the type is below 16 bits (x is quantised by the kernel).
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;

  /// Heads and types of the models at every rung of the batch ladder: decode steps only.
  static void model_cases(const ModelShapes& shapes, const CaseSink<MlaBmm>& sink);

  /// The published grid: 25 token counts before and 28 after x 8 head counts, 200 and 224 cases per type; fp8 beside
  /// bf16 for sm 87 to 99. vllm has no such table.
  static void aic_cases(const AicGrid& grid, const CaseSink<MlaBmm>& sink);
};
static_assert(Operation<MlaBmm>);

}  // namespace perfatlas
