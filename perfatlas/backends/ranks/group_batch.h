// SPDX-License-Identifier: Apache-2.0
// Timed launches of every rank of a group.
#pragma once

#include "perfatlas/backends/ranks/group_device.h"

namespace perfatlas {

class GroupBatch final : public TimedBatch {
 public:
  /// Makes the ranks ready. `device` outlives the batch.
  GroupBatch(const BatchRequest& request, GroupDevice& device);
  ~GroupBatch() override;
  GroupBatch(const GroupBatch&) = delete;
  GroupBatch& operator=(const GroupBatch&) = delete;

  /// Of the slowest rank. Operands that were written since are loaded into the ranks before, untimed.
  double run_ms() override;
  LaunchMode mode() const override { return readiness_.mode; }
  std::string note() const override;
  int ranks() const { return call_.ranks; }

  /// Copies the ranks' rows into the operands.
  void fetch();

 private:
  RankGroup& ready();

  GroupDevice& device_;
  GroupCall call_;
  RankPlan plan_;
  RankReadiness readiness_;
  GroupOperands operands_;
};

}  // namespace perfatlas
