// SPDX-License-Identifier: Apache-2.0
// One rank of a group: rows in the memory of its GPU, launches in a graph, time by events.
#pragma once

#include "perfatlas/backends/nccl/nccl_device.h"
#include "perfatlas/backends/ranks/rank_loop.h"

namespace perfatlas {

class NcclRankSide final : public RankSide {
 public:
  /// From here on every timed batch of the device begins when all ranks have come to it.
  explicit NcclRankSide(const NcclRank& rank);
  ~NcclRankSide() override;
  NcclRankSide(const NcclRankSide&) = delete;
  NcclRankSide& operator=(const NcclRankSide&) = delete;

  RankHello hello() const override { return {where_.rank, where_.ranks}; }
  void prepare(const Case& what, const KernelEntry& kernel, const std::vector<OperandRow>& rows) override;
  RankReadiness plan(const RankPlan& plan) override;
  void load(size_t index, const void* from) override;
  void store(size_t index, void* to) override;
  double run_ms() override { return batch_->run_ms(); }
  std::optional<double> clock_mhz() override { return where_.device->take_clock_mhz(); }
  void release() override;

 private:
  struct Row {
    OperandRow is;
    std::shared_ptr<void> memory;  // with a guard behind it that shows writes beyond its end
  };

  NcclRank where_;
  NcclDevice seen_by_kernels_;
  std::shared_ptr<void> token_;  // what the barrier sums
  std::vector<Row> rows_;
  std::unique_ptr<PreparedKernel> kernel_;  // may have the rows of all ranks open
  std::shared_ptr<void> workspace_;
  std::unique_ptr<TimedBatch> batch_;
};

/// The command line of a rank, after its flag: GPU RANK RANKS SOCKET.
struct NcclRankArguments {
  std::string gpu;
  int rank = 0, ranks = 1;
  std::string socket;
};

/// Throws UsageError.
NcclRankArguments parse_rank_arguments(int count, const char* const* words);

/// Joins the communicator whose name comes in on kChildRequestFd and obeys the front until it hangs up. `peer_sums`:
/// null where the build has none. Throws Error.
void run_nccl_rank(const NcclRankArguments& arguments, std::shared_ptr<CudaRuntime> runtime,
                   const LibrarySearch& search, const PeerSumLibrary* peer_sums);

}  // namespace perfatlas
