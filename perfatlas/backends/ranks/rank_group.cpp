// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/rank_group.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>

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

std::string this_host() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
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

RankGroup::RankGroup(int ranks, std::unique_ptr<RankLauncher> launcher)
    : launcher_(std::move(launcher)), over_network_(launcher_->over_network()) {
  FrontAddress address;
  FileDescriptor listener;
  if (over_network_) {
    NetworkListener network = listen_on_network();
    listener = std::move(network.fd);
    const char* const name = std::getenv("PERFATLAS_MPI_FRONT");  // where this host has another name inside
    address = {{}, name != nullptr ? name : this_host(), network.port, std::random_device()()};
  } else {
    address.local = new_socket_name(launcher_->name());
    listener = listen_locally(address.local);
  }
  sockets_.resize(size_t(ranks));
  launcher_->start(ranks, format_address(address));
  wait_for_ranks(listener, address);
}

void RankGroup::wait_for_ranks(const FileDescriptor& listener, const FrontAddress& address) {
  const auto deadline = std::chrono::steady_clock::now() + kStartTime;
  for (size_t called = 0; called < sockets_.size();) {
    if (const auto problem = launcher_->ended())
      throw Error(fmt::format("{}; what was said is in the worker's log", *problem));
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(fmt::format("{} of {} ranks did not call on {} within {} s; look into the worker's log",
                              sockets_.size() - called, sockets_.size(), format_address(address),
                              kStartTime.count()));
    FileDescriptor caller = over_network_ ? accept_any(listener, 20) : accept_own(listener, 20);
    RankHello hello;
    if (!caller || !receive_bytes(caller.get(), &hello, sizeof hello)) continue;
    if (hello.secret != address.secret) continue;  // somebody else
    hello.host[sizeof hello.host - 1] = 0;
    hosts_.insert(hello.host);
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
  const std::vector<Said> all = ask_all({.act = RankAct::prepare, .bytes = text.size()}, text);
  rows_.resize(all[0].text.size() / sizeof(RowSize));
  std::memcpy(rows_.data(), all[0].text.data(), all[0].text.size());
  call_ = call;
  loaded_ = {};
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

void RankGroup::load(const GroupOperands& operands, uint64_t version) {
  if (loaded_ == operands && loaded_version_ == version) return;
  if (over_network_) {
    send_rows(operands);
  } else {
    const std::string_view places = as_bytes(operands.places);
    ask_all({.act = RankAct::load, .bytes = places.size()}, places);
  }
  loaded_ = operands;
  loaded_version_ = version;
}

RankGroup::Said RankGroup::ask(size_t rank, const RankCommand& command, std::string_view payload) {
  send(rank, command, payload);
  Said said = reply_of(rank);
  if (said.reply.failed != 0) throw Error(fmt::format("rank {} of {}: {}", rank, ranks(), said.text));
  return said;
}

/// Rank after rank: a group's operands may be larger than what is wanted twice in memory.
void RankGroup::send_rows(const GroupOperands& operands) {
  for (size_t rank = 0; rank < sockets_.size(); ++rank) {
    std::string rows;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const char* const row = static_cast<const char*>(operands.addresses[i]) + rank * rows_[i].bytes;
      rows.append(row, rows_[i].output != 0 ? 1 : rows_[i].bytes);
    }
    ask(rank, {.act = RankAct::receive, .bytes = rows.size()}, rows);
  }
}

void RankGroup::take_rows(const GroupOperands& operands) {
  for (size_t rank = 0; rank < sockets_.size(); ++rank) {
    const Said said = ask(rank, {.act = RankAct::give});
    size_t at = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      PERFATLAS_ASSERT(at + rows_[i].bytes <= said.text.size());
      std::memcpy(static_cast<char*>(operands.addresses[i]) + rank * rows_[i].bytes, said.text.data() + at,
                  rows_[i].bytes);
      at += rows_[i].bytes;
    }
  }
}

void RankGroup::fetch(const GroupOperands& operands) {
  if (over_network_) return take_rows(operands);
  const std::string_view places = as_bytes(operands.places);
  ask_all({.act = RankAct::fetch, .bytes = places.size()}, places);
}

std::vector<RankRun> RankGroup::run() {
  std::vector<RankRun> runs;
  for (const auto& [reply, text] : ask_all({.act = RankAct::run}))
    runs.push_back({reply.ms, reply.clock_mhz > 0 ? std::optional(reply.clock_mhz) : std::nullopt});
  return runs;
}

std::string RankGroup::hosts_text() const {
  if (!over_network_) return {};
  return fmt::format("{} {}: {}", hosts_.size(), hosts_.size() == 1 ? "host" : "hosts",
                     fmt::join(hosts_, ", "));
}

void RankGroup::release() {
  if (!call_) return;
  call_.reset();
  plan_.reset();
  ask_all({.act = RankAct::release});
}

}  // namespace perfatlas
