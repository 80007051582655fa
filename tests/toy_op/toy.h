// SPDX-License-Identifier: Apache-2.0
// The smallest op with everything: what CONTRIBUTING.md's recipe adds.
#pragma once

#include "perfatlas/schema/model_shapes.h"

namespace perfatlas {

/// y = 2 * x over `count` floats.
struct Toy {
  DType dtype = DType::f32;
  int64_t count = 1;
  bool operator==(const Toy&) const = default;

  static constexpr OpInfo info{.id = "toy",
                               .table = "toy_perf",
                               .op_name = "toy",
                               .doc = "Doubles every element.",
                               .sol = "2*count*bytes / llc_bw"};
  static constexpr auto fields = std::tuple{
      field("toy_dtype", &Toy::dtype, Role::exact, "element type").flagged("dtype"),
      field("count", &Toy::count, Role::axis, "elements"),
  };
  static constexpr auto axes = std::array{axis<&Toy::count, Toy>("count")};
  static constexpr TableLayout layout{.why = "one axis: traffic is proportional to count"};

  std::string_view why_invalid() const { return count < 1 ? "count must be positive" : ""; }
  Work work() const;
  Operands operands() const;
  void reference(std::vector<HostOperand>& data) const;
  static void model_cases(const ModelShapes& shapes, const CaseSink<Toy>& sink);
};
static_assert(Operation<Toy>);

}  // namespace perfatlas
