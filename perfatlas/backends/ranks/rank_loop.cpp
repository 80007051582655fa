// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/rank_loop.h"

#include <unistd.h>

#include <cstring>

#include "perfatlas/backends/ranks/shared_memory.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

class RankLoop {
 public:
  RankLoop(const FrontAddress& address, RankSide& side, const OpRegistry& ops, const KernelRegistry& kernels)
      : front_(address.host.empty() ? connect_locally(address.local)
                                    : connect_over_network(address.host, address.port)),
        side_(side),
        ops_(ops),
        kernels_(kernels),
        hello_(side.hello()) {
    if (address.host.empty()) front_process_ = peer_process(front_.get());
    hello_.secret = address.secret;
    ::gethostname(hello_.host, sizeof hello_.host - 1);
    send_bytes(front_.get(), &hello_, sizeof hello_);
  }

  /// False when the front has hung up.
  bool obey() {
    RankCommand command;
    if (!receive_bytes(front_.get(), &command, sizeof command)) return false;
    std::string payload(command.bytes, '\0');
    if (!receive_bytes(front_.get(), payload.data(), payload.size())) return false;
    RankReply reply;
    std::string text;
    try {
      text = carry_out(command.act, payload, reply);
    } catch (const std::exception& error) {
      text = error.what();
      reply.failed = 1;
    }
    reply.bytes = text.size();
    return send_bytes(front_.get(), &reply, sizeof reply) &&
           send_bytes(front_.get(), text.data(), text.size());
  }

 private:
  /// Fills `reply`; returns the text that goes with it.
  std::string carry_out(RankAct act, const std::string& payload, RankReply& reply) {
    switch (act) {
      case RankAct::prepare:
        return prepare(payload);
      case RankAct::plan:
        return plan(payload, reply);
      case RankAct::load:
        for (size_t i = 0; i < rows_.size(); ++i) side_.load(i, row_in_front(payload, i).get());
        return {};
      case RankAct::receive:
        receive(payload);
        return {};
      case RankAct::run:
        reply.ms = side_.run_ms();
        reply.clock_mhz = side_.clock_mhz().value_or(0);
        return {};
      case RankAct::fetch:
        for (size_t i = 0; i < rows_.size(); ++i) side_.store(i, row_in_front(payload, i).get());
        return {};
      case RankAct::give:
        return given_rows();
      case RankAct::release:
        rows_.clear();
        side_.release();
        return {};
    }
    throw Error("an unknown command");
  }

  void receive(const std::string& rows) {
    size_t at = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const size_t bytes = rows_[i].output ? 1 : rows_[i].bytes;
      PERFATLAS_ASSERT(at + bytes <= rows.size());
      side_.load(i, rows.data() + at);
      at += bytes;
    }
  }

  std::string given_rows() {
    size_t bytes = 0;
    for (const OperandRow& row : rows_) bytes += row.bytes;
    std::string rows(bytes, '\0');
    size_t at = 0;
    for (size_t i = 0; i < rows_.size(); at += rows_[i++].bytes) side_.store(i, rows.data() + at);
    return rows;
  }

  /// Returns the sizes of the rows.
  std::string prepare(const std::string& text) {
    rows_.clear();
    side_.release();
    const size_t newline = text.find('\n');
    const Case what = ops_.parse_case(text.substr(newline + 1));
    const std::vector<OperandRow> rows = operand_rows(what, hello_.ranks);
    for (const KernelEntry* kernel : kernels_.of(what.op->info.id, ""))
      if (kernel->name == text.substr(0, newline)) {
        side_.prepare(what, *kernel, rows);
        rows_ = rows;
        std::string sizes;
        for (const OperandRow& row : rows) {
          const RowSize size{row.bytes, row.output ? 1U : 0U};
          sizes.append(reinterpret_cast<const char*>(&size), sizeof size);
        }
        return sizes;
      }
    throw Error("there is no such kernel: " + text);
  }

  std::string plan(const std::string& payload, RankReply& reply) {
    RankPlan wanted;
    PERFATLAS_ASSERT(payload.size() == sizeof wanted);
    std::memcpy(&wanted, payload.data(), sizeof wanted);
    const RankReadiness ready = side_.plan(wanted);
    reply.mode = uint32_t(ready.mode);
    return ready.note;
  }

  /// This rank's row of operand `index` in the front's memory.
  std::shared_ptr<void> row_in_front(const std::string& places, size_t index) const {
    PERFATLAS_ASSERT(places.size() == rows_.size() * sizeof(SharedPlace));
    SharedPlace place;
    std::memcpy(&place, places.data() + index * sizeof place, sizeof place);
    place.offset += uint64_t(hello_.rank) * rows_[index].bytes;
    return map_shared(front_process_, place, rows_[index].bytes);
  }

  FileDescriptor front_;
  RankSide& side_;
  const OpRegistry& ops_;
  const KernelRegistry& kernels_;
  RankHello hello_;
  int front_process_ = 0;
  std::vector<OperandRow> rows_;
};

}  // namespace

void obey_front(const std::string& address, RankSide& side, const OpRegistry& ops,
                const KernelRegistry& kernels) {
  RankLoop loop(parse_address(address), side, ops, kernels);
  while (loop.obey()) {
  }
}

}  // namespace perfatlas
