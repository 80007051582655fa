// SPDX-License-Identifier: Apache-2.0
// Groups of ranks, one process and one GPU each, as one device.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/nccl/nccl_library.h"
#include "perfatlas/backends/nccl/peer_sum.h"
#include "perfatlas/backends/ranks/group_device.h"

namespace perfatlas {

/// What kernels find in a rank. Everything outlives them.
struct NcclRank {
  CudaDevice* device = nullptr;
  const NcclLibrary* nccl = nullptr;
  ncclComm_t communicator = nullptr;
  int rank = 0, ranks = 1;
  const PeerSumLibrary* peer_sums = nullptr;  // null: the build has none
};

class NcclDevice final : public GroupDevice {
 public:
  /// What a front needs. `gpus`: "cuda:0-3", "0,2"; "all": every GPU that CUDA shows. `rank_program`: executable and
  /// arguments of a rank; device, rank, ranks and socket are appended (NcclLauncher).
  struct Front {
    std::string_view gpus;
    std::vector<std::string> rank_program;
    CudaRuntime* runtime = nullptr;
    const NcclLibrary* nccl = nullptr;
    LibrarySearch search = {};  // where NVML is looked for
    const PeerSumLibrary* peer_sums = nullptr;
  };
  /// Starts nothing yet, and makes no GPU current. Throws UsageError when a GPU is not there. Without a driver or NCCL
  /// launcher_problem() says why.
  explicit NcclDevice(const Front& front);
  /// In a rank: what kernels are prepared with, and nothing else.
  explicit NcclDevice(const NcclRank& rank) : peer_sums_(rank.peer_sums), rank_(rank) {}
  ~NcclDevice() override { end_groups(); }
  NcclDevice(const NcclDevice&) = delete;
  NcclDevice& operator=(const NcclDevice&) = delete;

  /// Of the GPUs of the newest batch's ranks, as one: the clock of the rank that ran slowest, the highest temperature,
  /// and per GPU, so that rows of every op are of one, the means of power, limit and energy. Throttle reasons name
  /// their rank. What one of the GPUs does not tell is absent.
  SensorReading read_sensors() override;
  /// Why read_sensors() tells nothing but clocks; empty when it does.
  std::string sensors_reason() const;
  double energy_window_ms() const override { return energy_window_ms_; }
  /// For tests, whose counters move as fast as they like.
  void set_energy_window_ms(double ms) { energy_window_ms_ = ms; }
  /// Mean of all GPUs of this worker: which of them the first case needs is not known before.
  std::optional<double> idle_power_w() override;

  /// In the order of the ranks.
  const std::vector<int>& gpus() const { return gpus_; }
  /// In a front all of it is null.
  const NcclRank& rank() const { return rank_; }
  /// In a front and in a rank; null where the build has none.
  const PeerSumLibrary* peer_sums() const { return peer_sums_; }

 protected:
  std::unique_ptr<RankLauncher> make_launcher(int ranks) override;

 private:
  void look_at_gpus(const Front& front);

  std::vector<int> gpus_;
  std::vector<NvmlSensors> sensors_;  // of each
  double energy_window_ms_ = kEnergyWindowMs;
  bool idle_measured_ = false;
  std::optional<double> idle_power_w_;
  std::vector<std::string> rank_program_;
  const NcclLibrary* nccl_ = nullptr;
  const PeerSumLibrary* peer_sums_ = nullptr;
  NcclRank rank_;
};

/// "0-1,3" with or without a leading "cuda:" is 0, 1, 3. Throws UsageError.
std::vector<int> parse_gpus(std::string_view text);

}  // namespace perfatlas
