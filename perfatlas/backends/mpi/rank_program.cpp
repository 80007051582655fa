// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/rank_program.h"

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

#include "perfatlas/backends/mpi/mpi_memory.h"
#include "perfatlas/backends/mpi/rank_wire.h"

namespace perfatlas {
namespace {

constexpr size_t kGuardBytes = 256;
constexpr char kGuard = 0x3c;

/// A rank's row of an operand, with a guard behind it that shows writes beyond its end.
struct RowBuffer {
  std::shared_ptr<void> memory;
  size_t bytes = 0;
  bool output = false;

  explicit RowBuffer(const OperandRow& row)
      : memory(allocate_pages(row.bytes + kGuardBytes)), bytes(row.bytes), output(row.output) {
    std::memset(static_cast<char*>(memory.get()) + bytes, kGuard, kGuardBytes);
  }
  bool overrun() const {
    const char* const guard = static_cast<const char*>(memory.get()) + bytes;
    return !std::all_of(guard, guard + kGuardBytes, [](char byte) { return byte == kGuard; });
  }
};

class Rank {
 public:
  Rank(FileDescriptor front, MpiDevice& device, const OpRegistry& ops, const KernelRegistry& kernels)
      : front_(std::move(front)), device_(device), ops_(ops), kernels_(kernels) {
    RankHello hello;
    MPI_Comm_rank(MPI_COMM_WORLD, &hello.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &hello.ranks);
    rank_ = hello.rank;
    ranks_ = hello.ranks;
    front_process_ = peer_process(front_.get());
    send_bytes(front_.get(), &hello, sizeof hello);
  }

  /// False when the front has hung up.
  bool obey() {
    RankCommand command;
    if (!receive_bytes(front_.get(), &command, sizeof command)) return false;
    std::string payload(command.bytes, '\0');
    if (!receive_bytes(front_.get(), payload.data(), payload.size())) return false;
    try {
      return reply({.ms = carry_out(command, payload)});
    } catch (const std::exception& error) {
      const std::string why = error.what();
      return reply({.failed = 1, .bytes = why.size()}) && send_bytes(front_.get(), why.data(), why.size());
    }
  }

 private:
  bool reply(const RankReply& reply) { return send_bytes(front_.get(), &reply, sizeof reply); }

  /// Milliseconds of a run, else 0.
  double carry_out(const RankCommand& command, const std::string& payload) {
    switch (command.act) {
      case RankAct::prepare:
        prepare(payload);
        return 0;
      case RankAct::load:
        load(payload);
        return 0;
      case RankAct::run:
        return run_ms(command.launches);
      case RankAct::fetch:
        fetch(payload);
        return 0;
      case RankAct::release:
        kernel_.reset();
        rows_.clear();
        return 0;
    }
    throw Error("an unknown command");
  }

  void prepare(const std::string& text) {
    kernel_.reset();
    rows_.clear();
    const size_t newline = text.find('\n');
    const Case what = ops_.parse_case(text.substr(newline + 1));
    for (const KernelEntry* kernel : kernels_.of(what.op->info.id, ""))
      if (kernel->name == text.substr(0, newline)) kernel_ = kernel->prepare(what.values, device_);
    if (!kernel_) throw Error("there is no such kernel: " + text);
    for (const OperandRow& row : operand_rows(what, ranks_)) rows_.emplace_back(row);
  }

  /// This rank's row of operand `index` in the front's memory.
  std::shared_ptr<void> row_in_front(const std::string& places, size_t index) const {
    PERFATLAS_ASSERT(places.size() == rows_.size() * sizeof(SharedPlace));
    SharedPlace place;
    std::memcpy(&place, places.data() + index * sizeof place, sizeof place);
    place.offset += uint64_t(rank_) * rows_[index].bytes;
    return map_shared(front_process_, place, rows_[index].bytes);
  }

  void load(const std::string& places) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      const std::shared_ptr<void> from = row_in_front(places, i);
      if (rows_[i].output)
        std::memset(rows_[i].memory.get(), *static_cast<const char*>(from.get()), rows_[i].bytes);
      else
        std::memcpy(rows_[i].memory.get(), from.get(), rows_[i].bytes);
    }
  }

  /// The barrier lets no rank begin before every rank is awake; it is not timed.
  double run_ms(uint32_t launches) {
    std::vector<void*> operands;
    for (const RowBuffer& row : rows_) operands.push_back(row.memory.get());
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    for (uint32_t i = 0; i < launches; ++i) kernel_->launch(nullptr, operands, nullptr);
    return (MPI_Wtime() - start) * 1e3;
  }

  void fetch(const std::string& places) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].overrun()) throw Error(fmt::format("bytes beyond the end of operand {} are written", i));
      std::memcpy(row_in_front(places, i).get(), rows_[i].memory.get(), rows_[i].bytes);
    }
  }

  FileDescriptor front_;
  MpiDevice& device_;
  const OpRegistry& ops_;
  const KernelRegistry& kernels_;
  int rank_ = 0, ranks_ = 0;
  int front_process_ = 0;
  std::unique_ptr<PreparedKernel> kernel_;
  std::vector<RowBuffer> rows_;
};

/// One core per rank when there are enough, else all cores for all ranks.
void stay_on_cores(const std::vector<int>& cores) {
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  if (size_t(ranks) <= cores.size()) {
    CPU_ZERO(&set);
    CPU_SET(cores[size_t(rank)], &set);
  }
  ::sched_setaffinity(0, sizeof set, &set);  // the front has verified that the cores may be used
}

}  // namespace

int run_rank(const std::string& socket, MpiDevice& device, const OpRegistry& ops,
             const KernelRegistry& kernels) {
  ::prctl(PR_SET_PDEATHSIG,
          SIGKILL);  // mpirun dies with the front, and this rank with mpirun, also inside MPI
  MPI_Init(nullptr, nullptr);
  stay_on_cores(device.cores());
  {
    Rank rank(connect_locally(socket), device, ops, kernels);
    while (rank.obey()) {
    }
  }
  MPI_Finalize();
  return 0;
}

std::string mpi_library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);
  const std::string_view full(text);  // "Open MPI v4.1.4, package: ..."
  const size_t begin = full.find(" v"), end = full.find(',');
  if (begin == full.npos || end == full.npos || end < begin)
    return std::string(full.substr(0, full.find('\n')));
  return std::string(full.substr(begin + 2, end - begin - 2));
}

}  // namespace perfatlas
