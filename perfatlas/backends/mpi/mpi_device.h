// SPDX-License-Identifier: Apache-2.0
// Groups of MPI ranks on this machine as one device. This process, the front, holds the operands of all ranks as the
// harness sees them; the ranks hold their own rows in memory of their own, where they are measured.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/device.h"
#include "perfatlas/backends/mpi/rank_group.h"

namespace perfatlas {

class MpiDevice final : public Device {
 public:
  /// `cores`: where ranks run, "0-1"; empty: every core this process may use. `rank_program`: executable and arguments of
  /// a rank (rank_program.h). Starts nothing yet. Throws UsageError when a core is not there.
  MpiDevice(std::string_view cores, std::vector<std::string> rank_program);
  /// Ends all groups.
  ~MpiDevice() override;
  MpiDevice(const MpiDevice&) = delete;
  MpiDevice& operator=(const MpiDevice&) = delete;

  const DeviceInfo& info() const override { return info_; }
  const std::vector<int>& cores() const { return cores_; }
  /// Why no ranks can be started here, or empty: mpirun is missing.
  const std::string& launcher_problem() const { return launcher_problem_; }

  std::shared_ptr<void> allocate(size_t bytes) override;
  void copy_in(void* device, const void* host, size_t bytes) override { copy(device, host, bytes); }
  /// What the ranks computed last is fetched first.
  void copy_out(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;

  Stream stream() override { return nullptr; }
  void synchronize() override {}
  /// REQUIRES: the kernel is a GroupKernel. Throws Error in the cold state: the ranks' buffers are always warm.
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override;
  SensorReading read_sensors() override { return {}; }

  /// The group of `ranks` ranks, started when there is none; the other groups give their buffers back.
  RankGroup& group(int ranks);

 private:
  friend class MpiBatch;
  std::string scratch_folder();

  std::vector<int> cores_;
  std::vector<std::string> rank_program_;
  std::string mpirun_, launcher_problem_, scratch_;
  DeviceInfo info_;
  SharedMemory memory_;
  std::map<int, std::unique_ptr<RankGroup>> groups_;
  uint64_t writes_ = 1;  // copies into operands so far: the ranks' rows are older when they say less
  class MpiBatch* unread_ = nullptr;  // has run since its results were fetched
};

}  // namespace perfatlas
