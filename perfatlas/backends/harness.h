// SPDX-License-Identifier: Apache-2.0
// Turns one case and one kernel into timed samples, the same way on every device: places the operands by their role,
// prepares the cache state, batches short launches. Kernels take no part in any of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "perfatlas/backends/harness_placement.h"

namespace perfatlas {

/// Share of a device's memory that operands may take; the rest is for the libraries and the system.
inline constexpr double kUsableMemory = 0.85;

/// One case to be run by one kernel.
struct CaseSetup {
  Case what;
  const KernelEntry* kernel = nullptr;
  CacheState cache = CacheState::serving;
  uint64_t seed = 0;  // of index operands and factors; the arenas' content is the same for every seed
};

struct SamplingOptions {
  int warmups = 3;       // untimed launches; at least one is made while the launch time is unknown
  int repetitions = 10;  // samples wanted
  double min_sample_ms =
      0.1;  // launches are batched until a sample takes this long, and Device::least_sample_ms()
  double max_total_ms = 1000;  // stop early after this much sampling, but after at least one sample
  bool allow_graph_fail = true;
  bool measure_energy = false;  // go on for Device::energy_window_ms() where there is an energy counter
};

/// Bytes of memory that a case needs in a cache state on a device with a last-level cache of `llc_bytes`.
double estimate_bytes(const Case& what, CacheState cache, double llc_bytes);

/// "memory: needs 3.25 GiB in cache state serving, has 2.00 GiB ...", or empty when the case fits. Allocates nothing.
std::string why_too_large(const Case& what, CacheState cache, const DeviceInfo& device);

/// Throws OutOfMemory with the case and the reason of why_too_large().
void require_memory(const Case& what, CacheState cache, const DeviceInfo& device);

/// A case ready to be sampled again and again. Operands hold seeded normal values of their type (packed layouts are
/// permutations, so random elements serve them too); index operands and positive factors have their declared content.
/// A kernel that updates a buffer finds its own result there at the next launch. In the serving state the rotation
/// goes on from launch to launch, sample to sample and case to case.
class PreparedCase {
 public:
  /// Throws OutOfMemory, or Error when the kernel cannot be prepared or the cache size that the serving state needs
  /// is unknown. `device` and `store` outlive the case.
  /// REQUIRES: why_invalid() is empty, the op is measurable, no other PreparedCase of `store` is in use.
  PreparedCase(const CaseSetup& setup, Device& device, OperandStore& store);

  /// Throws Error when the device failed, or when the rotation that the cache state needs cannot be had.
  Samples sample(const SamplingOptions& options);

  const CaseSetup& setup() const { return setup_; }

 private:
  std::unique_ptr<TimedBatch> make_batch(int launches, size_t planned, const SamplingOptions& options);
  std::unique_ptr<TimedBatch> make_sampling_batch(int& launches, const SamplingOptions& options);
  void warm_up(const SamplingOptions& options);
  int launches_per_sample(const SamplingOptions& options) const;
  double bytes_touched(const TimedBatch& batch) const;
  /// Why not the wanted launch mode; what the kernel chose; which kernels of the device ran; the power without them.
  std::string note_of(const TimedBatch& batch, const SamplingOptions& options);

  CaseSetup setup_;
  Device& device_;
  std::unique_ptr<PreparedKernel> kernel_;
  std::unique_ptr<PlacedOperands> operands_;
  std::shared_ptr<void> workspace_;
  std::optional<std::string> ran_;  // see Device::kernels_run_by; asked once
  std::string idle_;                // "idle power 92.1 W"; of a case whose energy is measured
  double launch_ms_ = 0;            // from warm-ups; 0: not known yet
};

}  // namespace perfatlas
