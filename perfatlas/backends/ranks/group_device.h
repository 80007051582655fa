// SPDX-License-Identifier: Apache-2.0
// Groups of ranks on this machine as one device. This process, the front, holds the operands of all ranks as the
// harness sees them; the ranks hold their own rows in memory of their own, where they are measured.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/backends/device.h"
#include "perfatlas/backends/ranks/rank_group.h"

namespace perfatlas {

class GroupDevice : public Device {
 public:
  ~GroupDevice() override = default;

  const DeviceInfo& info() const override { return info_; }
  /// Why no ranks can be started here, or empty.
  const std::string& launcher_problem() const { return launcher_problem_; }

  std::shared_ptr<void> allocate(size_t bytes) override { return memory_.allocate(bytes); }
  void copy_in(void* device, const void* host, size_t bytes) override { copy(device, host, bytes); }
  /// What the ranks computed last is fetched first.
  void copy_out(void* host, const void* device, size_t bytes) override;
  void copy(void* to, const void* from, size_t bytes) override;

  Stream stream() override { return nullptr; }
  void synchronize() override {}
  /// REQUIRES: the kernel is a GroupKernel. Throws Error in the cold state: the ranks' buffers are always warm.
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override;
  SensorReading read_sensors() override { return {}; }

  /// What every rank took in the newest `count` runs, per launch, oldest first; fewer when there were fewer.
  std::vector<std::vector<double>> rank_ms(size_t count) const;

  /// The group of `ranks` ranks, started when there is none; the other groups give their buffers back.
  RankGroup& group(int ranks);

 protected:
  /// How a group of `ranks` ranks is started.
  virtual std::unique_ptr<RankLauncher> make_launcher(int ranks) = 0;
  /// What the rows of such a group have to say: "4 ranks on 2 cores: oversubscribed". Empty: nothing.
  virtual std::string note_of(int ranks) const { return static_cast<void>(ranks), std::string(); }
  /// Of the newest batch; 0 before the first.
  int ranks_in_use() const { return ranks_in_use_; }
  /// The clock of the rank that ran slowest, averaged over the runs since it was last asked; forgets them. Nothing when
  /// no rank told.
  std::optional<double> take_slowest_clock_mhz();
  /// Called by destructors whose members the ranks or their launchers need.
  void end_groups() { groups_.clear(); }

  DeviceInfo info_;
  std::string launcher_problem_;

 private:
  friend class GroupBatch;
  void fetch_unread();
  void keep(const std::vector<RankRun>& runs, int launches);

  SharedMemory memory_;
  std::map<int, std::unique_ptr<RankGroup>> groups_;
  uint64_t writes_ = 1;  // copies into operands so far: the ranks' rows are older when they say less
  std::deque<std::vector<double>> rank_ms_;  // of the newest runs
  struct ClockSum {
    double mhz = 0;
    int runs = 0;
  };
  std::map<size_t, ClockSum> clocks_;  // by rank
  int ranks_in_use_ = 0;
  class GroupBatch* unread_ = nullptr;  // has run since its results were fetched
};

}  // namespace perfatlas
