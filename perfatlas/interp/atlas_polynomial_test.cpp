// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_polynomial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace perfatlas {
namespace {

/// Counts how often the law behind it is asked.
struct Counted {
  SolLaw law;
  int asked = 0;
};

SolLaw counting(Counted& counted) {
  return [&counted](const double* at) {
    ++counted.asked;
    return counted.law(at);
  };
}

TEST(AtlasPolynomial, ProductsAndSquaresAreTaken) {
  Counted counted{[](const double* at) -> SolParts {
    return {1e-9 * at[0] * at[1] * at[1] * at[2], 1e-6 * (at[0] * at[2] + 3 * at[1] + 7)};
  }};
  const SolLaw fast = as_polynomial(counting(counted), 3, {1, 1, 1}, {128, 32768, 256});
  counted.asked = 0;
  const double at[3] = {96, 5000, 13};
  const SolParts exact = counted.law(at), got = fast(at);
  EXPECT_EQ(counted.asked, 0);
  EXPECT_NEAR(got.math_ms / exact.math_ms, 1, 1e-12);
  EXPECT_NEAR(got.memory_ms / exact.memory_ms, 1, 1e-12);
}

TEST(AtlasPolynomial, BentWorkStaysAsItIs) {
  Counted counted{[](const double* at) -> SolParts { return {0, std::min(at[0], 4096.0)}; }};
  const SolLaw same = as_polynomial(counting(counted), 1, {1}, {1024});  // bends beyond the data
  counted.asked = 0;
  const double at = 10000;
  EXPECT_EQ(same(&at).memory_ms, 4096);
  EXPECT_EQ(counted.asked, 1);
}

TEST(AtlasPolynomial, StraightAxesAreFoundInPolynomialsAndOtherLaws) {
  const SolLaw square = [](const double* at) -> SolParts { return {at[0] * at[1] * at[1], 1 + at[0]}; };
  EXPECT_EQ(straight_axes(square, 2, {1, 1}, {64, 64}), 0b01);
  EXPECT_EQ(straight_axes(as_polynomial(square, 2, {1, 1}, {64, 64}), 2, {1, 1}, {64, 64}), 0b01);
  const SolLaw pages = [](const double* at) -> SolParts { return {0, at[0] * std::ceil(at[1] / 64)}; };
  EXPECT_EQ(straight_axes(pages, 2, {1, 1}, {64, 4096}), 0b01);
}

TEST(AtlasPolynomial, AnAxisOfOneKeyIsProbedBeyondIt) {
  const SolLaw fast = as_polynomial(
      [](const double* at) -> SolParts {
        return {at[0] * at[1], 1};
      },
      2, {0, 1}, {0, 8});
  const double at[2] = {5, 3};
  EXPECT_NEAR(fast(at).math_ms, 15, 1e-12);
}

}  // namespace
}  // namespace perfatlas
