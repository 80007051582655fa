// SPDX-License-Identifier: Apache-2.0
// An op for tests of plans: attention-like fields, a grid of any size.
#pragma once

#include "perfatlas/schema/derive.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// AicGrid::sm_version says how many batch values the grid has: 20,000 cases for each.
struct ToyGrid {
  DType dtype = DType::bf16;
  int64_t heads = 1;
  int64_t kv_heads = 1;
  int64_t head_dim = 64;
  int64_t window = 0;
  int64_t batch = 1;
  int64_t isl = 1;
  bool operator==(const ToyGrid&) const = default;

  static constexpr OpInfo info{
      .id = "toy_grid", .table = "toy_grid_perf", .op_name = "toy_grid", .doc = "", .sol = ""};
  static constexpr auto fields = std::tuple{
      field("attn_dtype", &ToyGrid::dtype, Role::exact, "operands"),
      field("num_heads", &ToyGrid::heads, Role::exact, "query heads"),
      field("num_key_value_heads", &ToyGrid::kv_heads, Role::exact, "kv heads"),
      field("head_dim", &ToyGrid::head_dim, Role::exact, "per head"),
      field("window_size", &ToyGrid::window, Role::exact, "0: none"),
      field("batch_size", &ToyGrid::batch, Role::axis, "requests"),
      field("isl", &ToyGrid::isl, Role::axis, "tokens"),
  };
  static constexpr auto axes =
      std::array{axis<&ToyGrid::batch, ToyGrid>("batch"), axis<&ToyGrid::isl, ToyGrid>("isl")};
  static constexpr TableLayout layout{.why = "a test"};

  std::string_view why_invalid() const { return kv_heads > heads ? "more kv heads than heads" : ""; }
  Work work() const { return {.flops = double(batch * isl * heads)}; }
  Operands operands() const { return {}; }
  static void aic_cases(const AicGrid& grid, const CaseSink<ToyGrid>& sink) {
    for (const DType type : {DType::bf16, DType::f32})
      for (int64_t heads = 1; heads <= 10; ++heads)
        for (int64_t kv = 1; kv <= 5; ++kv)
          for (const int64_t dim : {64, 128})
            for (int64_t batch = 1; batch <= grid.sm_version; ++batch)
              for (int64_t isl = 1; isl <= 100; ++isl) sink({type, 10 * heads, kv, dim, 0, batch, 16 * isl});
  }
};

inline OpRegistry toy_registry() {
  OpRegistry registry;
  registry.add(make_op_type<ToyGrid>());
  return registry;
}

}  // namespace perfatlas
