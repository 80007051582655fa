// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/remote_operands.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "perfatlas/backends/harness_fake.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// A gather: row `index[i]` of a table, weighted; the index and the weights are what steers it.
struct Gather {
  int64_t n = 4;
  bool operator==(const Gather&) const = default;
  static constexpr OpInfo info{
      .id = "gather", .table = "gather_perf", .op_name = "gather", .doc = "d", .sol = "n"};
  static constexpr auto fields = std::tuple{field("n", &Gather::n, Role::axis, "rows")};
  static constexpr auto axes = std::array{axis<&Gather::n, Gather>("n")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return {}; }
  Work work() const { return {.weight_bytes_read = 4.0 * double(n), .kv_bytes_read = 24}; }
  Operands operands() const {
    return {{.name = "index", .dtype = DType::int32, .shape = {n}, .fill = Fill::page_table},
            {.name = "weights",
             .dtype = DType::f32,
             .shape = {n},
             .fill = Fill::custom,
             .content = [](uint64_t seed,
                           HostOperand& out) { out.values.assign(out.values.size(), float(seed % 7)); }},
            {.name = "table", .role = OperandRole::weight, .dtype = DType::bf16, .shape = {n, 2}},
            {.name = "out",
             .role = OperandRole::output,
             .dtype = DType::int32,
             .shape = {n},
             .fill = Fill::none,
             .written = true}};
  }
};

template <class T>
std::vector<T> content_of(const OfferedOperand& operand) {
  std::vector<T> values(std::filesystem::file_size(operand.content) / sizeof(T));
  RemoteOperands::read(operand, std::as_writable_bytes(std::span(values)));
  return values;
}

TEST(RemoteOperands, DescriptionsAreThoseOfTheDeclaration) {
  const OpType op = make_op_type<Gather>();
  const OperandOffer offer = describe_operands(make_case(op, Gather{6}));
  ASSERT_EQ(offer.operands.size(), 4u);
  EXPECT_EQ(offer.streamed_bytes, 48);
  const OfferedOperand& table = offer.operands[2];
  EXPECT_EQ(table.name, "table");
  EXPECT_EQ(table.role, OperandRole::weight);
  EXPECT_EQ(table.dtype, DType::bf16);
  EXPECT_EQ(table.shape, (std::vector<int64_t>{6, 2}));
  EXPECT_TRUE(offer.operands[3].written);
  for (const OfferedOperand& operand : offer.operands) EXPECT_EQ(operand.content, "");
}

TEST(RemoteOperands, SamplingGetsTheContentThatSteersTheKernelAndNoOther) {
  const OpType op = make_op_type<Gather>();
  RemoteOperands operands;
  const OperandOffer offer = operands.for_sampling(make_case(op, Gather{5}), 9);
  std::vector<int32_t> index = content_of<int32_t>(offer.operands[0]);
  std::sort(index.begin(), index.end());
  EXPECT_EQ(index, (std::vector<int32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(content_of<float>(offer.operands[1]).size(), 5u);
  EXPECT_EQ(offer.operands[2].content, "");
  EXPECT_EQ(offer.operands[3].content, "");
}

TEST(RemoteOperands, TheSameCaseIsNotWrittenTwiceAndAnotherSeedIs) {
  const OpType op = make_op_type<Gather>();
  RemoteOperands operands;
  const Case what = make_case(op, Gather{64});
  const std::string file = operands.for_sampling(what, 1).operands[0].content;
  std::ofstream(file) << "touched";
  EXPECT_EQ(operands.for_sampling(what, 1).operands[0].content, file);
  EXPECT_EQ(std::filesystem::file_size(file), 7u);
  operands.for_sampling(what, 2);
  EXPECT_EQ(std::filesystem::file_size(file), 64 * sizeof(int32_t));
}

TEST(RemoteOperands, AFileOfAnotherSizeIsNoResult) {
  const OpType op = make_op_type<Gather>();
  const RemoteOperands operands;
  const OfferedOperand offered = operands.for_launch(make_case(op, Gather{4})).operands[3];
  std::vector<std::byte> bytes(16);
  EXPECT_THROW(RemoteOperands::read(offered, bytes), Error);  // never written
  RemoteOperands::write(offered, std::vector<std::byte>(12));
  EXPECT_THROW(RemoteOperands::read(offered, bytes), Error);
  RemoteOperands::write(offered, std::vector<std::byte>(16, std::byte{7}));
  RemoteOperands::read(offered, bytes);
  EXPECT_EQ(bytes[15], std::byte{7});
}

}  // namespace
}  // namespace perfatlas
