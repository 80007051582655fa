// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/price_error.h"

#include <gtest/gtest.h>

namespace perfatlas::estimate {
namespace {

aic::Op gemm() { return {aic::Gemm{}}; }

TEST(PriceErrorTest, GrowsFromMeasuredToTransferredPrices) {
  const std::optional<PriceError> error = price_error_of(gemm());
  const aic::Price measured{.latency_ms = 1, .source = aic::Source::silicon};
  const double exact = *relative_error(error, measured, EstimateKind::exact),
               inside = *relative_error(error, measured, EstimateKind::interpolated),
               beyond = *relative_error(error, measured, EstimateKind::held);
  EXPECT_EQ(exact, 0);
  EXPECT_LT(exact, inside);
  EXPECT_LT(inside, beyond);
  const aic::Price borrowed{
      .latency_ms = 1, .source = aic::Source::empirical, .provenance = aic::Provenance::xshape};
  EXPECT_LT(beyond, *relative_error(error, borrowed, EstimateKind::miss));
}

TEST(PriceErrorTest, AnOpWithoutHoldOutsIsNotTakenToBeBetterThanTheOthers) {
  const PriceError known = price_error_of(gemm()).value(), unknown = price_error_of({aic::Mamba2{}}).value();
  EXPECT_GE(unknown.inside, known.inside);
  EXPECT_GE(unknown.beyond, known.beyond);
}

TEST(PriceErrorTest, AComposedOpIsAsUncertainAsItsWorstPart) {
  const aic::Op overlap{aic::Overlap{"moe", {gemm()}, {{aic::Moe{}}, {aic::ElementWise{}}}}};
  const PriceError both = price_error_of(overlap).value();
  EXPECT_EQ(both.inside, price_error_of(gemm())->inside);
  EXPECT_EQ(both.beyond, price_error_of({aic::Moe{}})->beyond);
}

TEST(PriceErrorTest, ABoundAndAFormulaHaveNoInterval) {
  const aic::Price formula{.latency_ms = 1, .source = aic::Source::empirical};
  EXPECT_FALSE(relative_error(price_error_of({aic::ElementWise{}}), formula, EstimateKind::miss));
  const aic::Price light{.latency_ms = 1, .source = aic::Source::sol};
  EXPECT_FALSE(relative_error(price_error_of(gemm()), light, EstimateKind::miss));
}

}  // namespace
}  // namespace perfatlas::estimate
