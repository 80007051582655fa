// SPDX-License-Identifier: Apache-2.0
// All-to-all latencies of four tables under one key.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "perfatlas/aic/database.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

struct AllToAllShape {
  std::string backend, phase, dtype;
  int64_t ep = 0, nodes = 0, hidden = 0, topk = 0, experts = 0;
  auto operator<=>(const AllToAllShape&) const = default;
};

/// moe_a2a tables, and the older ones of DeepEP (groups of 8 GPUs a node, one type on the wire) and of TensorRT-LLM
/// (NVLink; low-precision combines as fp4; nodes of 4 GPUs). The newer table counts where both have a place.
class AllToAllTable {
 public:
  AllToAllTable(const Database& database, SharedLayer shared);

  bool empty() const { return shapes_.empty(); }
  bool has(const AllToAllShape& shape) const { return shapes_.contains(shape); }
  /// The type under which rows of a backend's phase are filed: the asked one; fp8 for fp8_block; the only one.
  std::string known_dtype(const std::string& backend, const std::string& phase,
                          const std::string& asked) const;

  /// Over tokens, at exactly these multiprocessors; null when there is none.
  std::shared_ptr<const Surface> curve(const AllToAllShape& shape, int64_t sms) const;
  /// Over (multiprocessors, tokens).
  std::shared_ptr<const Surface> grid(const AllToAllShape& shape) const;
  /// The same of two phases together, where both were measured.
  std::shared_ptr<const Surface> sum_grid(const AllToAllShape& a, const AllToAllShape& b) const;

  std::string why_missing(const AllToAllShape& shape) const;

 private:
  struct Time {
    double ms = 0;
    const TableRows* table = nullptr;
    uint32_t row = 0;  // of it
  };
  using Points = std::map<std::pair<int64_t, int64_t>, Time>;  // (multiprocessors, tokens)
  void add(const AllToAllShape& shape, int64_t sms, int64_t tokens, const Time& time);
  void add_deepep(const Database& database, SharedLayer shared, bool low_latency);
  void add_nvlink(const Database& database, SharedLayer shared);
  void add_unified(const Database& database, SharedLayer shared);

  std::vector<std::shared_ptr<const TableRows>> tables_;  // that the rows are of
  std::map<AllToAllShape, Points> shapes_;
};

}  // namespace perfatlas::aic
