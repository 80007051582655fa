// SPDX-License-Identifier: Apache-2.0
// The processes of one MPI job, started once and used for many cases. They sleep while they are not asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/backends/mpi/mpi_kernels.h"
#include "perfatlas/backends/mpi/mpi_memory.h"
#include "perfatlas/backends/mpi/rank_wire.h"
#include "perfatlas/base/process.h"

namespace perfatlas {

/// A rank died, and with it its group. No std::exception on purpose: it is no answer to a request but the end of the
/// worker, which the supervisor records as a crash of the case.
struct RankLost {
  std::string reason;
};

struct GroupOptions {
  int ranks = 2;
  bool oversubscribed = false;            // more ranks than cores: idle ranks yield, none is pinned
  std::string mpirun;                     // its path
  std::vector<std::string> rank_program;  // the ranks' executable and arguments; a socket name is appended
  std::string scratch;                    // existing folder for MPI's shared memory and session files
};

class RankGroup {
 public:
  /// Starts the ranks and waits until all have called. Throws Error: mpirun cannot start them.
  explicit RankGroup(const GroupOptions& options);
  /// Lets the ranks finish, then kills what is left.
  ~RankGroup();
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  int ranks() const { return int(sockets_.size()); }
  /// Of each rank; for tests and diagnostics.
  std::vector<pid_t> pids() const;

  // Each throws Error when a rank says why it cannot, and RankLost when one is gone.

  /// Makes every rank ready for a case; what was loaded before is gone. Nothing happens when it is ready for it already.
  void prepare(const GroupCall& call);
  /// Copies every rank's row out of the operands, which lie in shared memory of this process. Nothing happens when this
  /// `version` of their content is loaded already. REQUIRES: prepared.
  void load(const std::vector<SharedPlace>& operands, uint64_t version);
  /// Copies every rank's row into the operands.
  void fetch(const std::vector<SharedPlace>& operands);
  /// Milliseconds of the slowest rank. REQUIRES: loaded.
  double run_ms(int launches);
  /// Gives the ranks' buffers back.
  void release();

 private:
  void wait_for_ranks(const FileDescriptor& listener, const std::string& name);
  void send(size_t rank, const RankCommand& command, std::string_view payload = {});
  RankReply reply_of(size_t rank);
  std::vector<RankReply> replies();
  void tell_all(const RankCommand& command, std::string_view payload = {});
  [[noreturn]] void lost(size_t rank);

  std::optional<ChildProcess> mpirun_;
  std::vector<FileDescriptor> sockets_;  // by rank
  std::optional<GroupCall> call_;
  std::vector<SharedPlace> loaded_;  // of loaded_version_; empty: nothing
  uint64_t loaded_version_ = 0;
};

}  // namespace perfatlas
