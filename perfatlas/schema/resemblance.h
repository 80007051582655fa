// SPDX-License-Identifier: Apache-2.0
// What an op declares so that a slice of its table of which nothing was measured can be answered from similar ones.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace perfatlas {

/// How many similar slices are asked, and how fast their weight falls with distance.
struct TransferRule {
  size_t nearest = 6;       // 4 to 12 are within 15 % of p90; 1 is 1.5 to 2 times worse
  double softening = 0.05;  // added to squared distances
};

/// Exact fields are named by their columns.
struct Resemblance {
  std::span<const std::string_view> shape =
      {};  // slices that differ in these alone may stand in for one another
  std::span<const std::string_view> layer = {};  // these name a model's layer, without its parallel split
  TransferRule rule = {};
};

/// A slice as it is compared with others.
struct Likeness {
  std::vector<double> features;  // weighted, in octaves: distance^2 is the sum of squared differences
  double scale = 1;              // one axis: position * scale is the local work at which slices compare
};

}  // namespace perfatlas
