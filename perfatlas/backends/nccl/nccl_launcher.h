// SPDX-License-Identifier: Apache-2.0
// The ranks of one NCCL communicator: processes of this machine, one GPU each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/backends/nccl/nccl_library.h"
#include "perfatlas/backends/ranks/rank_group.h"
#include "perfatlas/base/process.h"

namespace perfatlas {

/// Starts `rank_program GPU RANK RANKS SOCKET` once per rank, and hands each the communicator's name as a line of
/// hexadecimal digits on kChildRequestFd.
class NcclLauncher final : public RankLauncher {
 public:
  /// `gpus`: of each rank. `nccl` outlives the launcher.
  NcclLauncher(std::vector<std::string> rank_program, std::vector<int> gpus, const NcclLibrary& nccl)
      : rank_program_(std::move(rank_program)), gpus_(std::move(gpus)), nccl_(nccl) {}

  std::string name() const override { return "nccl"; }
  void start(int ranks, const std::string& socket) override;
  std::optional<std::string> ended() override;
  std::string wait(std::chrono::milliseconds grace) override;

 private:
  /// The first rank that has ended otherwise than with 0, and how.
  std::optional<std::string> fallen();

  std::vector<std::string> rank_program_;
  std::vector<int> gpus_;
  const NcclLibrary& nccl_;
  std::vector<ChildProcess> ranks_;
};

/// A communicator's name as text, and back. Throws Error.
std::string hex_of(const ncclUniqueId& id);
ncclUniqueId unique_id_of(std::string_view hex);

}  // namespace perfatlas
