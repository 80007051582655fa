// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/text_plot.h"

#include <gtest/gtest.h>

#include <limits>

#include "perfatlas/search/text_table.h"

namespace perfatlas {
namespace {

TEST(TextPlot, PutsPointsWhereTheirValuesAre) {
  TextPlot plot{"title", "x", "y", 19, 5, {{"a", '*', {{0, 0}, {100, 50}}}, {"b", '#', {{100, 100}}}}};
  EXPECT_EQ(text_plot(plot),
            "title\n"
            "y (  * a  # b )\n"
            "     100|                  #|\n"
            "        |                   |\n"
            "        |                  *|\n"
            "        |                   |\n"
            "       0|*                  |\n"
            "        ++-----------------++\n"
            "         0                 100  x\n");
}

TEST(TextPlot, SaysWhenThereIsNothingToPlot) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(text_plot({"t", "x", "y", 10, 5, {{"a", '*', {{nan, 1}}}}}), "t: nothing to plot\n");
}

TEST(TextTable, AlignsNumbersToTheRight) {
  EXPECT_EQ(text_table({{"rank", "parallel"}, {{"1", "tp8"}, {"10", "tp16"}}}),
            "  rank  parallel\n"
            "  ----  --------\n"
            "     1  tp8\n"
            "    10  tp16\n");
}

}  // namespace
}  // namespace perfatlas
