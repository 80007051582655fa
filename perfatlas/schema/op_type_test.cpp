// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/schema/op_type.h"

#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {
namespace {

/// Small, but with every kind of field and a derived key.
struct Toy {
  Quant dtype = Quant::bf16;
  int64_t heads = 8;
  int64_t kv_heads = 8;
  bool causal = true;
  Symbol model{};
  bool operator==(const Toy&) const = default;
  int64_t kv_key() const { return kv_heads == heads ? 0 : kv_heads; }

  static constexpr OpInfo info{.id = "toy", .table = "toy_perf", .op_name = "toy", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{
      field("toy_dtype", &Toy::dtype, Role::exact, "dtype").flagged("dtype"),
      field("num_heads", &Toy::heads, Role::axis, "heads"),
      field("num_kv_heads", &Toy::kv_heads, Role::exact, "kv heads").keyed_by(&Toy::kv_key),
      field("causal", &Toy::causal, Role::recorded, "causal mask"),
      field("model", &Toy::model, Role::exact, "model name"),
  };
  static constexpr auto axes = std::array{axis<&Toy::heads, Toy>("heads")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return heads < 1 ? "heads must be positive" : ""; }
  Work work() const { return {.flops = double(heads)}; }
};
static_assert(Operation<Toy>);

class OpTypeTest : public testing::Test {
 protected:
  OpType type_ = make_op_type<Toy>();
  Case toy(const Toy& value) const { return make_case(type_, value); }
};

TEST_F(OpTypeTest, TextOfACaseReadsBack) {
  const Case c = toy({Quant::fp8, 16, 4, false, Symbol("qwen")});
  EXPECT_EQ(fields_text(c), "toy_dtype=fp8 num_heads=16 num_kv_heads=4 causal=false model=qwen");
  EXPECT_EQ(parse_fields(type_, fields_text(c)), c);
}

TEST_F(OpTypeTest, ReproLineOmitsDefaults) {
  EXPECT_EQ(repro_line(toy({.heads = 16, .kv_heads = 16})),
            "perfatlas bench toy --num_heads 16 --num_kv_heads 16");
}

TEST_F(OpTypeTest, CaseIdIsAFormatAndIgnoresFieldOrder) {
  const Case c = toy({.model = Symbol("m")});
  EXPECT_EQ(case_id(c), hash64("toy/1 causal=true model=m num_heads=8 num_kv_heads=8 toy_dtype=bfloat16"));
  EXPECT_NE(case_id(c), case_id(toy({.heads = 9, .model = Symbol("m")})));
}

TEST_F(OpTypeTest, DerivedKeysFileEqualHeadsTogether) {
  EXPECT_EQ(type_.slice_of(toy({.heads = 8, .kv_heads = 8}).values)[1], 0);
  EXPECT_EQ(type_.slice_of(toy({.heads = 8, .kv_heads = 2}).values)[1], 2);
}

TEST_F(OpTypeTest, BadFieldsNameWhatIsKnown) {
  Case c = toy({});
  const auto message = [&](auto&& action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { set_field(c, "hedas", "1"); }),
            "op toy has no field 'hedas'; its fields are dtype, num_heads, num_kv_heads, causal and model");
  EXPECT_EQ(message([&] { set_field(c, "num_heads", "eight"); }),
            "toy --num_heads: 'eight' is not an integer");
  EXPECT_NE(message([&] { set_field(c, "dtype", "fp7"); }).find("'fp7' is not one of float32"),
            std::string::npos);
  EXPECT_NE(message([&] { (void)parse_fields(type_, "num_heads=1"); }).find("is missing"), std::string::npos);
  EXPECT_NE(message([&] { (void)parse_fields(type_, "num_heads=1 num_heads=2"); }).find("no new field"),
            std::string::npos);
}

TEST_F(OpTypeTest, AxesReadAndWriteTheirFields) {
  FieldValues values = toy({}).values;
  type_.axes[0].set(values, 32);
  EXPECT_EQ(type_.axes[0].get(values), 32);
  EXPECT_EQ(decode<Toy>(values).heads, 32);
}

TEST(OpRegistry, UnknownOpGuessesAtTheMeaning) {
  OpRegistry registry;
  registry.add(make_op_type<Toy>());
  try {
    (void)registry.get("tpy");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "there is no op 'tpy' (did you mean toy?); known ops: toy");
  }
}

}  // namespace
}  // namespace perfatlas
