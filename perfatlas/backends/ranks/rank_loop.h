// SPDX-License-Identifier: Apache-2.0
// What one rank of a group does: waits for commands of the front process, sleeping, and has them carried out.
#pragma once

#include <optional>
#include <string>

#include "perfatlas/backends/ranks/group_kernel.h"
#include "perfatlas/backends/ranks/rank_wire.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

/// The part of a rank that knows its library and its memory. Everything may throw Error, which the front gets as text.
class RankSide {
 public:
  virtual ~RankSide() = default;
  virtual RankHello hello() const = 0;
  /// Makes kernel and one buffer per row ready; what was ready before is gone.
  virtual void prepare(const Case& what, const KernelEntry& kernel, const std::vector<OperandRow>& rows) = 0;
  /// Makes ready to run as planned. REQUIRES: prepared.
  virtual RankReadiness plan(const RankPlan& plan) = 0;
  /// Fills the buffer of row `index` from host memory. REQUIRES: prepared.
  virtual void load(size_t index, const void* from) = 0;
  /// The way back; throws Error when something was written beyond the buffer's end.
  virtual void store(size_t index, void* to) = 0;
  /// Milliseconds of the planned launches, from a barrier among the ranks on. REQUIRES: planned.
  virtual double run_ms() = 0;
  /// The clock of the device during the newest run_ms(), where it is known.
  virtual std::optional<double> clock_mhz() { return std::nullopt; }
  /// Gives kernel and buffers back.
  virtual void release() = 0;
};

/// Runs until the front process hangs up. `address`: format_address() of where the front listens. Throws Error when it
/// does not.
void obey_front(const std::string& address, RankSide& side, const OpRegistry& ops,
                const KernelRegistry& kernels);

}  // namespace perfatlas
