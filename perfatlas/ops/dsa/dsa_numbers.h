// SPDX-License-Identifier: Apache-2.0
// Seeded numbers for operand content that only these ops have.
#pragma once

#include <cstdint>

namespace perfatlas {

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the same numbers on
/// every machine.
class DsaNumbers {
 public:
  explicit DsaNumbers(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double uniform() { return double(next() >> 11) * 0x1p-53; }  // [0, 1)
  /// Mean 0, standard deviation 1, |value| <= 6: the sum of twelve uniform numbers (Irwin-Hall) around its mean.
  float bell() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return float(sum);
  }

 private:
  uint64_t state_;
};

}  // namespace perfatlas
