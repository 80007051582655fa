// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/rank_group.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartTime = 60s;    // a GPU's context takes seconds, and longer on machines with many
constexpr auto kLeaveTime = 300ms;  // a worker as a whole has half a second to leave
constexpr auto kVerdictTime = 2s;   // a launcher ends soon after a rank has
/// After one rank has failed the others may wait for it for ever, inside their library.
constexpr auto kPatience = 10s;

std::string_view as_bytes(const std::vector<SharedPlace>& places) {
  return {reinterpret_cast<const char*>(places.data()), places.size() * sizeof(SharedPlace)};
}

std::string new_socket_name(const std::string& launcher) {
  static int count = 0;
  return fmt::format("perfatlas-{}-{}-{}", launcher, ::getpid(), ++count);
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

RankGroup::RankGroup(int ranks, std::unique_ptr<RankLauncher> launcher) : launcher_(std::move(launcher)) {
  const std::string name = new_socket_name(launcher_->name());
  const FileDescriptor listener = listen_locally(name);
  sockets_.resize(size_t(ranks));
  launcher_->start(ranks, name);
  wait_for_ranks(listener, name);
}

void RankGroup::wait_for_ranks(const FileDescriptor& listener, const std::string& name) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (size_t called = 0; called < sockets_.size();) {
    if (const auto problem = launcher_->ended())
      throw Error(fmt::format("{}; what was said is in the worker's log", *problem));
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(fmt::format("{} of {} ranks did not call on {} within {} s; look into the worker's log",
                              sockets_.size() - called, sockets_.size(), name, kStartTime.count()));
    FileDescriptor caller = accept_own(listener, 20);
    RankHello hello;
    if (!caller || !receive_bytes(caller.get(), &hello, sizeof hello)) continue;
    if (hello.ranks != ranks() || hello.rank < 0 || hello.rank >= ranks() || sockets_[size_t(hello.rank)])
      throw Error(
          fmt::format("rank {} of {} called a group of {}: the launcher belongs to another library "
                      "than the one this worker was built with",
                      hello.rank, hello.ranks, ranks()));
    sockets_[size_t(hello.rank)] = std::move(caller);
    ++called;
  }
}

RankGroup::~RankGroup() {
  for (FileDescriptor& socket : sockets_) socket.reset();  // the ranks' sign to finish
  launcher_->wait(kLeaveTime);
}

std::vector<pid_t> RankGroup::pids() const {
  std::vector<pid_t> pids;
  for (const FileDescriptor& socket : sockets_) pids.push_back(peer_process(socket.get()));
  return pids;
}

void RankGroup::lost(size_t rank) {
  throw RankLost{fmt::format("rank {} of {} is gone, and its group with it: {}", rank, ranks(),
                             launcher_->wait(kVerdictTime))};
}

void RankGroup::send(size_t rank, const RankCommand& command, std::string_view payload) {
  if (!send_bytes(sockets_[rank].get(), &command, sizeof command) ||
      !send_bytes(sockets_[rank].get(), payload.data(), payload.size()))
    lost(rank);
}

RankGroup::Said RankGroup::reply_of(size_t rank) {
  Said said;
  if (!receive_bytes(sockets_[rank].get(), &said.reply, sizeof said.reply)) lost(rank);
  said.text.resize(said.reply.bytes);
  if (!receive_bytes(sockets_[rank].get(), said.text.data(), said.text.size())) lost(rank);
  return said;
}

/// Waits for all ranks at once: one that died is noticed while another waits for it inside its library.
std::vector<RankGroup::Said> RankGroup::replies() {
  std::vector<Said> all(sockets_.size());
  std::vector<pollfd> waiting;
  for (const FileDescriptor& socket : sockets_) waiting.push_back({socket.get(), POLLIN, 0});
  std::string failure;  // thrown when every rank has replied, so that no reply is left over
  for (size_t replied = 0; replied < sockets_.size();) {
    const auto patience = std::chrono::milliseconds(kPatience).count();
    if (::poll(waiting.data(), waiting.size(), failure.empty() ? -1 : int(patience)) == 0)
      throw RankLost{fmt::format("{}; the other ranks do not answer any more", failure)};
    for (size_t rank = 0; rank < waiting.size(); ++rank) {
      if (waiting[rank].fd < 0 || waiting[rank].revents == 0) continue;
      all[rank] = reply_of(rank);
      if (all[rank].reply.failed != 0)
        failure = fmt::format("rank {} of {}: {}", rank, ranks(), all[rank].text);
      waiting[rank].fd = -1;
      ++replied;
    }
  }
  if (!failure.empty()) throw Error(failure);
  return all;
}

std::vector<RankGroup::Said> RankGroup::ask_all(const RankCommand& command, std::string_view payload) {
  for (size_t rank = 0; rank < sockets_.size(); ++rank) send(rank, command, payload);
  return replies();
}

void RankGroup::prepare(const GroupCall& call) {
  if (call_ == call) return;
  call_.reset();
  plan_.reset();
  const std::string text = call.kernel + "\n" + call.case_text;
  ask_all({.act = RankAct::prepare, .bytes = text.size()}, text);
  call_ = call;
  loaded_.clear();
}

const RankReadiness& RankGroup::plan(const RankPlan& plan) {
  if (plan_ == plan) return readiness_;
  plan_.reset();
  const std::vector<Said> all = ask_all({.act = RankAct::plan, .bytes = sizeof plan},
                                        {reinterpret_cast<const char*>(&plan), sizeof plan});
  for (const Said& said : all)
    if (said.reply.mode != all[0].reply.mode)
      throw Error("some ranks launch in a graph and some eagerly: " + all[0].text + said.text);
  readiness_ = {LaunchMode(all[0].reply.mode), all[0].text};
  plan_ = plan;
  return readiness_;
}

void RankGroup::load(const std::vector<SharedPlace>& operands, uint64_t version) {
  if (loaded_ == operands && loaded_version_ == version) return;
  const std::string_view places = as_bytes(operands);
  ask_all({.act = RankAct::load, .bytes = places.size()}, places);
  loaded_ = operands;
  loaded_version_ = version;
}

void RankGroup::fetch(const std::vector<SharedPlace>& operands) {
  const std::string_view places = as_bytes(operands);
  ask_all({.act = RankAct::fetch, .bytes = places.size()}, places);
}

double RankGroup::run_ms() {
  double slowest = 0;
  for (const Said& said : ask_all({.act = RankAct::run})) slowest = std::max(slowest, said.reply.ms);
  return slowest;
}

void RankGroup::release() {
  if (!call_) return;
  call_.reset();
  plan_.reset();
  ask_all({.act = RankAct::release});
}

}  // namespace perfatlas
