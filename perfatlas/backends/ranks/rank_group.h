// SPDX-License-Identifier: Apache-2.0
// The processes of one group of ranks, started once and used for many cases. They sleep while they are not asked.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "perfatlas/backends/ranks/group_kernel.h"
#include "perfatlas/backends/ranks/rank_wire.h"
#include "perfatlas/backends/ranks/shared_memory.h"
#include "perfatlas/base/process.h"

namespace perfatlas {

/// A rank died, and with it its group. No std::exception on purpose: it is no answer to a request but the end of the
/// worker, which the supervisor records as a crash of the case.
struct RankLost {
  std::string reason;
};

/// How the processes of one group come to be. Each must call on the address that start() names (obey_front) and send a
/// RankHello. What is left of them ends with this object.
class RankLauncher {
 public:
  virtual ~RankLauncher() = default;
  /// Part of the socket's name, and of messages: "mpi".
  virtual std::string name() const = 0;
  /// Ranks may be on other hosts: they call over the network, and operands travel there, untimed, instead of through
  /// shared memory.
  virtual bool over_network() const { return false; }
  /// Called once. `address`: format_address() of where the front listens. Throws Error.
  virtual void start(int ranks, const std::string& address) = 0;
  /// "mpirun could not start 2 ranks (exit code 7)" when something that is needed has ended; nothing while all is well.
  virtual std::optional<std::string> ended() = 0;
  /// Waits until all have ended, kills what is left after `grace`, and says how the group ended: "SIGKILL".
  virtual std::string wait(std::chrono::milliseconds grace) = 0;
};

/// The operands of all ranks in this process: where they lie, and how another process of this machine finds them.
struct GroupOperands {
  std::vector<SharedPlace> places;
  std::vector<void*> addresses;
  bool operator==(const GroupOperands&) const = default;
};

/// What one rank saw of a run.
struct RankRun {
  double ms = 0;  // of all launches of the plan
  std::optional<double> clock_mhz;
};

class RankGroup {
 public:
  /// Starts the ranks and waits until all have called. Throws Error: they cannot be started.
  RankGroup(int ranks, std::unique_ptr<RankLauncher> launcher);
  /// Lets the ranks finish, then kills what is left.
  ~RankGroup();
  RankGroup(const RankGroup&) = delete;
  RankGroup& operator=(const RankGroup&) = delete;

  int ranks() const { return int(sockets_.size()); }
  /// "2 hosts: node1, node2"; of a group on this machine empty.
  std::string hosts_text() const;
  /// Of each rank of a group on this machine; for tests and diagnostics.
  std::vector<pid_t> pids() const;

  // Each throws Error when a rank says why it cannot, and RankLost when one is gone.

  /// Makes every rank ready for a case; what was loaded before is gone. Does nothing when it already is.
  void prepare(const GroupCall& call);
  /// Makes every rank ready to run as planned. Nothing happens when it is already. REQUIRES: prepared.
  const RankReadiness& plan(const RankPlan& plan);
  /// Copies every rank's row out of the operands. Does nothing when this `version` of their content is loaded.
  /// REQUIRES: prepared.
  void load(const GroupOperands& operands, uint64_t version);
  /// Copies every rank's row into the operands.
  void fetch(const GroupOperands& operands);
  /// Of each rank. REQUIRES: planned and loaded.
  std::vector<RankRun> run();
  /// Gives the ranks' buffers back.
  void release();

 private:
  struct Said {
    RankReply reply;
    std::string text;
  };

  void wait_for_ranks(const FileDescriptor& listener, const FrontAddress& address);
  void send_rows(const GroupOperands& operands);
  void take_rows(const GroupOperands& operands);
  Said ask(size_t rank, const RankCommand& command, std::string_view payload = {});
  void send(size_t rank, const RankCommand& command, std::string_view payload = {});
  Said reply_of(size_t rank);
  std::vector<Said> replies();
  std::vector<Said> ask_all(const RankCommand& command, std::string_view payload = {});
  [[noreturn]] void lost(size_t rank);

  std::unique_ptr<RankLauncher> launcher_;
  std::vector<FileDescriptor> sockets_;  // by rank
  std::optional<GroupCall> call_;
  std::optional<RankPlan> plan_;
  RankReadiness readiness_;
  bool over_network_;
  std::set<std::string> hosts_;
  std::vector<RowSize> rows_;  // of call_
  GroupOperands loaded_;       // of loaded_version_; empty: nothing
  uint64_t loaded_version_ = 0;
};

}  // namespace perfatlas
