// SPDX-License-Identifier: Apache-2.0
// The ranks of one MPI job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/backends/ranks/rank_group.h"
#include "perfatlas/base/process.h"

namespace perfatlas {

struct MpiLaunch {
  bool oversubscribed = false;  // more ranks than cores: idle ranks yield, none is pinned
  std::string mpirun;           // its path
  /// Words that start the ranks on other hosts, too, e.g. srun --mpi=pmix -n {ranks}; {ranks} is replaced. Empty:
  /// mpirun, on this host.
  std::vector<std::string> launcher;
  std::vector<std::string>
      rank_program;     // the ranks' executable and arguments; the front's address is appended
  std::string scratch;  // existing folder for MPI's shared memory and session files
};

class MpiLauncher final : public RankLauncher {
 public:
  explicit MpiLauncher(MpiLaunch launch) : launch_(std::move(launch)) {}

  std::string name() const override { return "mpi"; }
  bool over_network() const override { return !launch_.launcher.empty(); }
  void start(int ranks, const std::string& address) override;
  std::optional<std::string> ended() override;
  std::string wait(std::chrono::milliseconds grace) override;

 private:
  MpiLaunch launch_;
  int ranks_ = 0;
  std::optional<ChildProcess> mpirun_;
};

}  // namespace perfatlas
