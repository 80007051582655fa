// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/rank_group.h"

#include <fmt/format.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartTime = 20s;
constexpr auto kLeaveTime = 300ms;  // a worker as a whole has half a second to leave
constexpr auto kVerdictTime = 2s;   // mpirun ends soon after a rank has

std::vector<std::string> mpirun_command(const GroupOptions& options, const std::string& socket) {
  // Slots are counted by this back end (more ranks than cores are marked in the rows), and ranks pin themselves: what
  // mpirun thinks of the machine is not asked. No shell on other hosts is needed either.
  std::vector<std::string> command = {options.mpirun,    "-np",    std::to_string(options.ranks),
                                      "--oversubscribe", "--host", fmt::format("localhost:{}", options.ranks),
                                      "--bind-to",       "none"};
  const auto set = [&](const char* parameter, const std::string& value) {
    command.insert(command.end(), {"--mca", parameter, value});
  };
  set("plm", "isolated");
  set("mpi_yield_when_idle", options.oversubscribed ? "1" : "0");
  set("orte_tmpdir_base", options.scratch);
  set("btl_vader_backing_directory", options.scratch);
  command.insert(command.end(), options.rank_program.begin(), options.rank_program.end());
  command.push_back(socket);
  return command;
}

std::string_view as_bytes(const std::vector<SharedPlace>& places) {
  return {reinterpret_cast<const char*>(places.data()), places.size() * sizeof(SharedPlace)};
}

std::string new_socket_name() {
  static int count = 0;
  return fmt::format("perfatlas-mpi-{}-{}", ::getpid(), ++count);
}

/// mpirun reports a rank's signal as 128 + signal, as a shell does.
std::string verdict_text(const ExitStatus& status) {
  if (status.code && *status.code > 128) return signal_name(*status.code - 128);
  return status.text();
}

}  // namespace

std::vector<OperandRow> operand_rows(const Case& what, int ranks) {
  std::vector<OperandRow> rows;
  for (const Operand& operand : what.op->operands(what.values)) {
    PERFATLAS_ASSERT(!operand.shape.empty() && operand.shape[0] == ranks);
    rows.push_back({size_t(operand.bytes()) / size_t(ranks), operand.role == OperandRole::output});
  }
  return rows;
}

RankGroup::RankGroup(const GroupOptions& options) {
  if (::geteuid() == 0) {  // Open MPI wants to be told twice that root means it
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
  }
  const std::string name = new_socket_name();
  const FileDescriptor listener = listen_locally(name);
  sockets_.resize(size_t(options.ranks));
  mpirun_ = ChildProcess::spawn({mpirun_command(options, name), "/dev/stderr"});
  wait_for_ranks(listener, name);
}

void RankGroup::wait_for_ranks(const FileDescriptor& listener, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (size_t called = 0; called < sockets_.size();) {
    if (const auto status = mpirun_->try_wait())
      throw Error(fmt::format("mpirun could not start {} ranks ({}); what it said is in the worker's log",
                              sockets_.size(), status->text()));
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(fmt::format("{} of {} ranks did not call on {} within {} s; look into the worker's log",
                              sockets_.size() - called, sockets_.size(), name, kStartTime.count()));
    FileDescriptor caller = accept_own(listener, 20);
    RankHello hello;
    if (!caller || !receive_bytes(caller.get(), &hello, sizeof hello)) continue;
    if (hello.ranks != ranks() || hello.rank < 0 || hello.rank >= ranks() || sockets_[size_t(hello.rank)])
      throw Error(
          fmt::format("rank {} of {} called a group of {}: mpirun belongs to another MPI than the one "
                      "this worker was built with",
                      hello.rank, hello.ranks, ranks()));
    sockets_[size_t(hello.rank)] = std::move(caller);
    ++called;
  }
}

RankGroup::~RankGroup() {
  for (FileDescriptor& socket : sockets_) socket.reset();  // the ranks' sign to finish
  mpirun_->wait(kLeaveTime);
}

std::vector<pid_t> RankGroup::pids() const {
  std::vector<pid_t> pids;
  for (const FileDescriptor& socket : sockets_) pids.push_back(peer_process(socket.get()));
  return pids;
}

void RankGroup::lost(size_t rank) {
  const std::string verdict = verdict_text(mpirun_->wait(kVerdictTime));
  throw RankLost{fmt::format("rank {} of {} is gone, and its group with it: {}", rank, ranks(), verdict)};
}

void RankGroup::send(size_t rank, const RankCommand& command, std::string_view payload) {
  if (!send_bytes(sockets_[rank].get(), &command, sizeof command) ||
      !send_bytes(sockets_[rank].get(), payload.data(), payload.size()))
    lost(rank);
}

RankReply RankGroup::reply_of(size_t rank) {
  RankReply reply;
  if (!receive_bytes(sockets_[rank].get(), &reply, sizeof reply)) lost(rank);
  if (reply.failed == 0) return reply;
  std::string text(reply.bytes, '\0');
  if (!receive_bytes(sockets_[rank].get(), text.data(), text.size())) lost(rank);
  throw Error(fmt::format("rank {} of {}: {}", rank, ranks(), text));
}

/// Waits for all ranks at once: one that died is noticed while another waits for it inside MPI.
std::vector<RankReply> RankGroup::replies() {
  std::vector<RankReply> all(sockets_.size());
  std::vector<pollfd> waiting;
  for (const FileDescriptor& socket : sockets_) waiting.push_back({socket.get(), POLLIN, 0});
  std::optional<Error> failure;  // thrown when every rank has replied, so that no reply is left over
  for (size_t replied = 0; replied < sockets_.size();) {
    ::poll(waiting.data(), waiting.size(), -1);
    for (size_t rank = 0; rank < waiting.size(); ++rank) {
      if (waiting[rank].fd < 0 || waiting[rank].revents == 0) continue;
      try {
        all[rank] = reply_of(rank);
      } catch (const Error& error) {
        failure = error;
      }
      waiting[rank].fd = -1;
      ++replied;
    }
  }
  if (failure) throw *failure;
  return all;
}

void RankGroup::tell_all(const RankCommand& command, std::string_view payload) {
  for (size_t rank = 0; rank < sockets_.size(); ++rank) send(rank, command, payload);
}

void RankGroup::prepare(const GroupCall& call) {
  if (call_ == call) return;
  call_.reset();
  const std::string text = call.kernel + "\n" + call.case_text;
  tell_all({.act = RankAct::prepare, .bytes = text.size()}, text);
  replies();
  call_ = call;
  loaded_.clear();
}

void RankGroup::load(const std::vector<SharedPlace>& operands, uint64_t version) {
  if (loaded_ == operands && loaded_version_ == version) return;
  const std::string_view places = as_bytes(operands);
  tell_all({.act = RankAct::load, .bytes = places.size()}, places);
  replies();
  loaded_ = operands;
  loaded_version_ = version;
}

void RankGroup::fetch(const std::vector<SharedPlace>& operands) {
  const std::string_view places = as_bytes(operands);
  tell_all({.act = RankAct::fetch, .bytes = places.size()}, places);
  replies();
}

double RankGroup::run_ms(int launches) {
  tell_all({.act = RankAct::run, .launches = uint32_t(launches)});
  double slowest = 0;
  for (const RankReply& reply : replies()) slowest = std::max(slowest, reply.ms);
  return slowest;
}

void RankGroup::release() {
  if (!call_) return;
  call_.reset();
  tell_all({.act = RankAct::release});
  replies();
}

}  // namespace perfatlas
