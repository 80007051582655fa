// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/price.h"

#include <gtest/gtest.h>

#include "perfatlas/aic/op.h"
#include "perfatlas/base/error.h"

namespace perfatlas::aic {
namespace {

TEST(AicPrice, SumsAndMarksMixedSources) {
  Price sum{.latency_ms = 1, .energy_mj = 2, .source = Source::silicon};
  sum += {.latency_ms = 3, .source = Source::empirical, .provenance = Provenance::xshape};
  EXPECT_EQ(sum.latency_ms, 4);
  EXPECT_EQ(sum.energy_mj, 2);
  EXPECT_EQ(sum.source, Source::mixed);
  EXPECT_EQ(sum.provenance, Provenance::xshape);
}

TEST(AicPrice, APriceOfNothingIsNeutral) {
  Price sum{.latency_ms = 1, .source = Source::silicon};
  sum += {.source = Source::empirical};
  EXPECT_EQ(sum.source, Source::silicon);
  Price empty;
  empty += {.latency_ms = 1, .source = Source::sol};
  EXPECT_EQ(empty.source, Source::sol);
}

TEST(AicPrice, AFailureStays) {
  Price sum = Price::failed(Failure::perf_data_not_available);
  sum += {.latency_ms = 1};
  EXPECT_EQ(sum.failure, Failure::perf_data_not_available);
  Price good{.latency_ms = 1};
  good += sum;
  EXPECT_EQ(name_of(good.failure), "PerfDataNotAvailable");
}

TEST(AicTransferPolicy, PresetsAndLists) {
  EXPECT_EQ(TransferPolicy::from_text("aggressive"), TransferPolicy{});
  const TransferPolicy balanced{.xshape = true, .xquant = true, .xprofile = false, .xop = false};
  EXPECT_EQ(TransferPolicy::from_text("balanced"), balanced);
  EXPECT_EQ(TransferPolicy::from_text("xshape,xquant"), balanced);
  EXPECT_FALSE(TransferPolicy::from_text("off").xshape);
  EXPECT_THROW(TransferPolicy::from_text("xshape,everything"), UsageError);
}

TEST(AicQuantMode, NamesAreUniqueAndRead) {
  for (int i = 0; i <= int(QuantMode::w4a8_mxfp4_mxfp8_trtllm); ++i)
    EXPECT_EQ(quant_mode(name_of(QuantMode(i))), QuantMode(i));
  EXPECT_FALSE(quant_mode("fp7"));
}

TEST(AicOp, NameIsThatOfTheValue) {
  Gemm gemm;
  gemm.name = "qkv";
  EXPECT_EQ(Op{gemm}.name(), "qkv");
  EXPECT_EQ((Op{Overlap{"both", {Op{gemm}}, {}}}.name()), "both");
}

}  // namespace
}  // namespace perfatlas::aic
