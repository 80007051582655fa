// SPDX-License-Identifier: Apache-2.0
// Measured times of one kernel inside a sparse attention block, as aiconfigurator 0.12 reads them for prompts that
// several ranks share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace perfatlas::aic {

/// Milliseconds by batch, new tokens and cached tokens of a sequence. Immutable after the last add().
class KernelTimes {
 public:
  /// A later time at the same place counts.
  void add(int64_t batch, int64_t isl, int64_t prefix, double latency_ms);
  bool empty() const { return batches_.empty(); }

  /// At the nearest measured batch and there at the nearest isl (of two the smaller); linear between cached lengths,
  /// outside them that of the nearest. Nothing while empty, and where isl is above longest(batch): the work grows
  /// faster than the length.
  std::optional<double> ms(int64_t batch, int64_t isl, int64_t prefix) const;
  /// Most new tokens measured at the nearest batch; 0 while empty.
  int64_t longest(int64_t batch) const;

 private:
  using ByPrefix = std::map<int64_t, double>;
  using ByIsl = std::map<int64_t, ByPrefix>;
  std::map<int64_t, ByIsl> batches_;
};

}  // namespace perfatlas::aic
