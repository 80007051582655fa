// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

constexpr int64_t kElements = 64;

/// y = 2x + `added`, by a kernel of the given name.
KernelEntry doubling(std::string_view name, float added) {
  class Doubling final : public PreparedKernel {
   public:
    explicit Doubling(float added) : added_(added) {}
    void launch(Stream, std::span<void* const> operands, void*) override {
      const auto* x = static_cast<const float*>(operands[0]);
      auto* y = static_cast<float*>(operands[1]);
      for (int64_t i = 0; i < kElements; ++i) y[i] = 2 * x[i] + added_;
    }

   private:
    float added_;
  };
  return {"fake_double", name, "fake", [](const FieldValues&, const Device&) { return std::string(); },
          [added](const FieldValues&, Device&) { return std::make_unique<Doubling>(added); }};
}

struct FakeDouble {
  int64_t rows = 1;
  bool operator==(const FakeDouble&) const = default;

  static constexpr OpInfo info{
      .id = "fake_double", .table = "fake_double_perf", .op_name = "fake", .doc = "one", .sol = "n"};
  static constexpr auto fields = std::tuple{field("rows", &FakeDouble::rows, Role::axis, "rows")};
  static constexpr auto axes = std::array{axis<&FakeDouble::rows, FakeDouble>("rows")};
  static constexpr TableLayout layout{};

  std::string_view why_invalid() const { return {}; }
  /// As much arithmetic as one asks for.
  Work work() const { return {.flops = double(rows)}; }
  Operands operands() const {
    return {{.name = "x", .dtype = DType::f32, .shape = {kElements}},
            {.name = "y",
             .role = OperandRole::output,
             .dtype = DType::f32,
             .shape = {kElements},
             .fill = Fill::none,
             .written = true}};
  }
};

TEST(CheckAgainstKernel, AgreesWithinBothTolerancesOrFails) {
  const OpType op = make_op_type<FakeDouble>();
  const Case what = make_case(op, FakeDouble{});
  FakeDevice device;
  const KernelEntry first = doubling("first", 0), same = doubling("same", 1e-5F),
                    other = doubling("other", 1);
  const HarnessCheck agreed = check_against_kernel(what, first, same, 1, device);
  EXPECT_EQ(agreed.verdict, Verdict::passed);
  EXPECT_EQ(agreed.detail.rfind("same: y: relative L2 difference", 0), 0u) << agreed.detail;
  EXPECT_EQ(check_against_kernel(what, first, other, 1, device).verdict, Verdict::failed);
}

TEST(CheckAgainstKernel, IsForCasesThatAreTooMuchForTheReference) {
  const OpType op = make_op_type<FakeDouble>();
  EXPECT_FALSE(beyond_reference(make_case(op, FakeDouble{4})));
  EXPECT_TRUE(beyond_reference(make_case(op, FakeDouble{int64_t(kMostReferenceFlops) + 1})));
}

}  // namespace
}  // namespace perfatlas
