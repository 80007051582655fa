// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/rank_program.h"

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

#include "perfatlas/backends/ranks/rank_loop.h"
#include "perfatlas/backends/ranks/shared_memory.h"

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

class MpiRank final : public RankSide {
 public:
  explicit MpiRank(MpiDevice& device) : device_(device) {}

  RankHello hello() const override {
    RankHello hello;
    MPI_Comm_rank(MPI_COMM_WORLD, &hello.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &hello.ranks);
    return hello;
  }

  void prepare(const Case& what, const KernelEntry& kernel, const std::vector<OperandRow>& rows) override {
    kernel_ = kernel.prepare(what.values, device_);
    for (const OperandRow& row : rows) rows_.emplace_back(row);
  }

  RankReadiness plan(const RankPlan& plan) override {
    launches_ = plan.launches;
    return {LaunchMode::direct, {}};
  }

  void load(size_t index, const void* from) override {
    const RowBuffer& row = rows_[index];
    if (row.output)
      std::memset(row.memory.get(), *static_cast<const char*>(from), row.bytes);
    else
      std::memcpy(row.memory.get(), from, row.bytes);
  }

  void store(size_t index, void* to) override {
    if (rows_[index].overrun())
      throw Error(fmt::format("bytes beyond the end of operand {} are written", index));
    std::memcpy(to, rows_[index].memory.get(), rows_[index].bytes);
  }

  /// The barrier lets no rank begin before every rank is awake; it is not timed.
  double run_ms() override {
    std::vector<void*> operands;
    for (const RowBuffer& row : rows_) operands.push_back(row.memory.get());
    MPI_Barrier(MPI_COMM_WORLD);
    const double start = MPI_Wtime();
    for (uint32_t i = 0; i < launches_; ++i) kernel_->launch(nullptr, operands, nullptr);
    return (MPI_Wtime() - start) * 1e3;
  }

  void release() override {
    kernel_.reset();
    rows_.clear();
  }

 private:
  MpiDevice& device_;
  std::unique_ptr<PreparedKernel> kernel_;
  std::vector<RowBuffer> rows_;
  uint32_t launches_ = 1;
};

/// One core per rank of this host when there are enough, else all cores for all ranks.
void stay_on_cores(const std::vector<int>& cores) {
  MPI_Comm here = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(here, &rank);
  MPI_Comm_size(here, &ranks);
  MPI_Comm_free(&here);
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

int run_rank(const std::string& address, MpiDevice& device, const OpRegistry& ops,
             const KernelRegistry& kernels) {
  ::prctl(PR_SET_PDEATHSIG,
          SIGKILL);  // mpirun dies with the front, and this rank with mpirun, also inside MPI
  MPI_Init(nullptr, nullptr);
  stay_on_cores(device.cores());
  MpiRank rank(device);
  obey_front(address, rank, ops, kernels);
  rank.release();
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
