// SPDX-License-Identifier: Apache-2.0
// Timed launches of every rank of a group.
#pragma once

#include "perfatlas/backends/mpi/mpi_device.h"

namespace perfatlas {

class MpiBatch final : public TimedBatch {
 public:
  /// Makes the ranks ready. `device` outlives the batch.
  MpiBatch(const BatchRequest& request, MpiDevice& device);
  ~MpiBatch() override;
  MpiBatch(const MpiBatch&) = delete;
  MpiBatch& operator=(const MpiBatch&) = delete;

  /// Of the slowest rank. Operands that were written since are loaded into the ranks before, untimed.
  double run_ms() override;
  LaunchMode mode() const override { return LaunchMode::direct; }
  /// "4 ranks on 2 cores: oversubscribed", or empty.
  std::string note() const override;

  /// Copies the ranks' rows into the operands.
  void fetch();

 private:
  void prepare();

  MpiDevice& device_;
  GroupCall call_;
  std::vector<SharedPlace> operands_;
  int launches_;
};

}  // namespace perfatlas
