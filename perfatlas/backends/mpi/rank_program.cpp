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

  explicit RowBuffer(size_t size) : memory(allocate_pages(size + kGuardBytes)), bytes(size) {
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
    ranks_ = hello.ranks;
    send_bytes(front_.get(), &hello, sizeof hello);
  }

  /// False when the front has hung up.
  bool obey() {
    RankCommand command;
    if (!receive_bytes(front_.get(), &command, sizeof command)) return false;
    std::string text(command.act == RankAct::prepare ? command.bytes : 0, '\0');
    if (!receive_bytes(front_.get(), text.data(), text.size())) return false;
    if (command.act == RankAct::load && !load()) return false;
    try {
      return carry_out(command, text);
    } catch (const std::exception& error) {
      const std::string why = error.what();
      return reply({.failed = 1, .bytes = why.size()}) && send_bytes(front_.get(), why.data(), why.size());
    }
  }

 private:
  bool reply(const RankReply& reply) { return send_bytes(front_.get(), &reply, sizeof reply); }

  bool carry_out(const RankCommand& command, const std::string& text) {
    switch (command.act) {
      case RankAct::prepare:
        prepare(text);
        return reply({});
      case RankAct::load:
        return reply({});
      case RankAct::run:
        return reply({.ms = run_ms(command.launches)});
      case RankAct::fetch:
        return fetch();
      case RankAct::release:
        kernel_.reset();
        rows_.clear();
        return reply({});
    }
    return false;
  }

  void prepare(const std::string& text) {
    kernel_.reset();
    rows_.clear();
    const size_t newline = text.find('\n');
    const Case what = ops_.parse_case(text.substr(newline + 1));
    for (const KernelEntry* kernel : kernels_.of(what.op->info.id, ""))
      if (kernel->name == text.substr(0, newline)) kernel_ = kernel->prepare(what.values, device_);
    if (!kernel_) throw Error("there is no such kernel: " + text);
    for (const size_t bytes : row_bytes(what, ranks_)) rows_.emplace_back(bytes);
  }

  bool load() {
    for (const RowBuffer& row : rows_)
      if (!receive_bytes(front_.get(), row.memory.get(), row.bytes)) return false;
    return true;
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

  bool fetch() {
    uint64_t bytes = 0;
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].overrun()) throw Error(fmt::format("bytes beyond the end of operand {} are written", i));
      bytes += rows_[i].bytes;
    }
    if (!reply({.bytes = bytes})) return false;
    for (const RowBuffer& row : rows_)
      if (!send_bytes(front_.get(), row.memory.get(), row.bytes)) return false;
    return true;
  }

  FileDescriptor front_;
  MpiDevice& device_;
  const OpRegistry& ops_;
  const KernelRegistry& kernels_;
  int ranks_ = 0;
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
