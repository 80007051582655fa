// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_cells.h"

namespace perfatlas {
namespace {

// Logarithms .01, .03, .06, .12, .25, .5 and 1 as factors, so that a query takes no logarithm.
constexpr std::array<double, kBarBins - 1> kSpreadEdges{
    1.0100501670841679, 1.0304545339535169, 1.0618365465453596, 1.1274968515793757,
    1.2840254166877414, 1.6487212707001282, 2.7182818284590451};
constexpr std::array<double, kBarBins - 2> kOctaveEdges{.6, 1.1, 2.1, 3.1, 4.6, 6.1};
// 2 to the power of these.
constexpr std::array<double, kBarBins - 2> kRatioEdges{1.515716566510398,  2.1435469250725863,
                                                       4.2870938501451725, 8.574187700290345,
                                                       24.251465064166364, 68.59350160232275};

}  // namespace

size_t spread_bin(double ratio) {
  size_t bin = 0;
  for (const double edge : kSpreadEdges) bin += ratio > edge;
  return bin;
}

size_t octave_bin(double octaves) {
  size_t bin = 0;
  for (const double edge : kOctaveEdges) bin += octaves > edge;
  return bin;
}

size_t octave_bin_of_ratio(double ratio) {
  size_t bin = 0;
  for (const double edge : kRatioEdges) bin += ratio > edge;
  return bin;
}

double octaves_of_bin(size_t bin) {
  if (bin >= kOctaveEdges.size()) return kOctaveEdges.back();
  return (kOctaveEdges[bin] + (bin > 0 ? kOctaveEdges[bin - 1] : 0)) / 2;
}

}  // namespace perfatlas
