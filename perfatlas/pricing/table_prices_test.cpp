// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/table_prices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"
#include "perfatlas/pricing/toy_machine_test.h"

namespace perfatlas {
namespace {

constexpr StepRange kRange{.step_tokens = 64, .prompt_tokens = 256, .sequences = 8};

/// Gemms of a step of `tokens` tokens by the law of the toy machine. The last one, of the logits, has one row per
/// prompt.
double gemms_ms(const ToyMachine& machine, const StepShape& shape) {
  double total_ms = 0;
  for (const OpUse& use : machine.model().step(shape, {}))
    if (use.c.op->info.id == "gemm")
      total_ms += double(use.count) *
                  (ToyMachine::kFixedMs + ToyMachine::kMsPerRow * double(decode<Gemm>(use.c.values).m));
  return total_ms;
}

TEST(TablePrices, AStepIsTheSumOfItsOps) {
  ToyMachine machine;
  machine.place_gemms(2048);
  Database tables(machine.tables());
  const TablePrices made = table_prices(machine.model(), {}, tables, {}, kRange);
  for (const int64_t tokens : {1, 8, 64})
    EXPECT_NEAR(made.prices.context.at(double(tokens)), gemms_ms(machine, {Phase::context, 1, tokens, 0}),
                1e-9)
        << tokens;
  for (const int64_t sequences : {1, 4, 8})
    EXPECT_NEAR(made.prices.decode.at(double(sequences), 256),
                gemms_ms(machine, {Phase::generation, sequences, 1, 255}), 1e-9)
        << sequences;
}

TEST(TablePrices, ACutLastLayerRunsItsFeedForwardForOneTokenOfThePrompt) {
  ToyMachine machine;
  machine.place_gemms(2048);
  Database tables(machine.tables());
  StepRange range = kRange;
  const PriceTables whole = table_prices(machine.model(), {}, tables, {}, range).prices;
  range.last_layer_cut = true;
  const PriceTables cut = table_prices(machine.model(), {}, tables, {}, range).prices;
  constexpr double kFeedForwardGemms = 2;  // gate with up, and down
  for (const double tokens : {1.0, 16.0, 64.0})
    EXPECT_NEAR(whole.context.at(tokens) - cut.context.at(tokens),
                kFeedForwardGemms * ToyMachine::kMsPerRow * (tokens - 1), 1e-9);
  EXPECT_EQ(whole.decode.at(8, 128), cut.decode.at(8, 128)) << "every token of a decode step has an output";
}

TEST(TablePrices, OpsWithoutAnyTableAreLeftOutAndNamed) {
  ToyMachine machine;
  machine.place_gemms(2048);
  Database tables(machine.tables());
  const TablePrices made = table_prices(machine.model(), {}, tables, {}, kRange);
  EXPECT_THAT(made.left_out, testing::IsSupersetOf({"attention", "embedding"}));
  EXPECT_THAT(made.left_out, testing::Not(testing::Contains("qkv_gemm")));
  EXPECT_EQ(made.prices.prompt_attention.at(1, 256), 0) << "nothing is known of attention";
}

TEST(TablePrices, SayWhereTheyComeFrom) {
  ToyMachine machine;
  machine.place_gemms(2048);
  Database tables(machine.tables());
  const PriceTables prices = table_prices(machine.model(), {}, tables, {}, kRange).prices;
  EXPECT_THAT(prices.identity, testing::HasSubstr("toy ggml 1 tp1"));
  EXPECT_EQ(prices.source, PriceSource::measured);
}

TEST(TablePrices, ACaseThatATableCannotAnswerIsAnErrorWithTheRemedy) {
  ToyMachine machine;
  machine.place_gemms(4);
  Database tables(machine.tables());
  try {
    (void)table_prices(machine.model(), {}, tables, {}, kRange);
    FAIL() << "four rows answer for 64, on a machine whose speed of light nobody knows";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("collect it and place it"));
  }
}

}  // namespace
}  // namespace perfatlas
