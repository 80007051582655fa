// SPDX-License-Identifier: Apache-2.0
// How check judges results that are indices: an op that picks the place of the largest element.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_fake.h"

namespace perfatlas {
namespace {

struct FakePick {
  int64_t rows = 3;
  bool operator==(const FakePick&) const = default;

  static constexpr int64_t kWidth = 8;
  static constexpr OpInfo info{
      .id = "fake_pick", .table = "fake_pick_perf", .op_name = "fake", .doc = "one", .sol = "n"};
  static constexpr auto fields = std::tuple{field("rows", &FakePick::rows, Role::axis, "rows")};
  static constexpr auto axes = std::array{axis<&FakePick::rows, FakePick>("rows")};
  static constexpr TableLayout layout{};

  std::string_view why_invalid() const { return {}; }
  Work work() const { return {.activation_bytes_read = 4.0 * double(rows * kWidth)}; }
  Operands operands() const {
    return {{.name = "x", .dtype = DType::f32, .shape = {rows, kWidth}},
            {.name = "at",
             .role = OperandRole::output,
             .dtype = DType::int32,
             .shape = {rows},
             .fill = Fill::none,
             .written = true}};
  }
  static int32_t pick(const float* row) { return int32_t(std::max_element(row, row + kWidth) - row); }
  void reference(std::vector<HostOperand>& data) const {
    for (size_t row = 0; row < size_t(rows); ++row)
      data[1].indices[row] = pick(&data[0].values[row * size_t(kWidth)]);
  }
};

using Fault = std::function<void(int32_t* at)>;

class FakePickKernel final : public PreparedKernel {
 public:
  FakePickKernel(int64_t rows, Fault fault) : rows_(rows), fault_(std::move(fault)) {}
  void launch(Stream, std::span<void* const> operands, void*) override {
    auto* at = static_cast<int32_t*>(operands[1]);
    for (int64_t row = 0; row < rows_; ++row)
      at[row] = FakePick::pick(static_cast<const float*>(operands[0]) + row * FakePick::kWidth);
    fault_(at);
  }

 private:
  int64_t rows_;
  Fault fault_;
};

HarnessCheck against_reference(Fault fault) {
  const OpType op = make_op_type<FakePick>();
  const KernelEntry kernel{FakePick::info.id, "fake_kernel", "fake",
                           [](const FieldValues&, const Device&) { return std::string(); },
                           [fault](const FieldValues& values, Device&) {
                             return std::make_unique<FakePickKernel>(decode<FakePick>(values).rows, fault);
                           }};
  FakeDevice device;
  HarnessCheck found;
  for (const HarnessCheck& check : check_kernel(make_case(op, FakePick{}), kernel, 1, device))
    if (check.name == "against the reference") found = check;
  return found;
}

TEST(CheckIndices, RightIndicesPass) {
  const HarnessCheck check = against_reference([](int32_t*) {});
  EXPECT_EQ(check.verdict, Verdict::passed);
  EXPECT_EQ(check.detail, "at: 0 of 3 indices differ");
}

TEST(CheckIndices, OneWrongIndexFails) {
  const HarnessCheck check = against_reference([](int32_t* at) { at[2] ^= 1; });
  EXPECT_EQ(check.verdict, Verdict::failed);
  EXPECT_EQ(check.detail, "at: 1 of 3 indices differ");
}

}  // namespace
}  // namespace perfatlas
