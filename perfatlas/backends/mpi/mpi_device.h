// SPDX-License-Identifier: Apache-2.0
// Groups of MPI ranks on the cores of this machine as one device.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/backends/ranks/group_device.h"

namespace perfatlas {

class MpiDevice final : public GroupDevice {
 public:
  /// `cores`: where ranks run, "0-1"; empty: every core this process may use. `rank_program`: executable and arguments
  /// of a rank (rank_program.h). Starts nothing yet. Throws UsageError when a core is not there.
  MpiDevice(std::string_view cores, std::vector<std::string> rank_program);
  /// Ends all groups.
  ~MpiDevice() override;
  MpiDevice(const MpiDevice&) = delete;
  MpiDevice& operator=(const MpiDevice&) = delete;

  const std::vector<int>& cores() const { return cores_; }
  /// Starts ranks with these words (MpiLaunch::launcher) instead of mpirun on this host. REQUIRES: no group yet.
  void use_launcher(std::vector<std::string> words);
  /// Ranks are started by a launcher, which starts no more than rank_slots().
  bool is_launched() const { return !launcher_.empty(); }
  /// Ranks that have a core each: the cores of this host, or of a launcher's allocation PERFATLAS_MPI_RANKS, else
  /// SLURM_NTASKS.
  int64_t rank_slots() const { return launcher_.empty() ? int64_t(cores_.size()) : launched_ranks_; }

 protected:
  std::unique_ptr<RankLauncher> make_launcher(int ranks) override;
  /// "4 ranks on 2 cores: oversubscribed"
  std::string note_of(int ranks) const override;

 private:
  std::string scratch_folder();

  std::vector<int> cores_;
  std::vector<std::string> rank_program_, launcher_;
  int64_t launched_ranks_ = 0;
  std::string mpirun_, scratch_;
};

}  // namespace perfatlas
