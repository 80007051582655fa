// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/measure/launch_cost.h"

namespace perfatlas {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr int kMostLaunches = 1 << 20;  // of one sample, however short the launch

class Stopwatch {
 public:
  double ms() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

double estimate_bytes(const Case& what, CacheState cache, double llc_bytes) {
  const PlacementPlan plan = plan_placement(what, cache, llc_bytes, nullptr);
  const bool evicts = cache == CacheState::cold || plan.evict;
  return plan.bytes() + (evicts ? kStreamOverCache * llc_bytes : 0);
}

std::string why_too_large(const Case& what, CacheState cache, const DeviceInfo& device) {
  const double needed = estimate_bytes(what, cache, device.llc_bytes);
  if (needed <= kUsableMemory * device.memory_bytes) return {};
  return fmt::format("memory: needs {:.2f} GiB in cache state {}, has {:.2f} GiB ({:.0f} % of device {})",
                     needed / kGiB, name_of(cache), kUsableMemory * device.memory_bytes / kGiB,
                     100 * kUsableMemory, device.id);
}

void require_memory(const Case& what, CacheState cache, const DeviceInfo& device) {
  if (const std::string why = why_too_large(what, cache, device); !why.empty())
    throw OutOfMemory(fmt::format("out of memory: {}: {}; choose smaller sizes", case_text(what), why));
}

PreparedCase::PreparedCase(const CaseSetup& setup, Device& device, OperandStore& store)
    : setup_(setup), device_(device) {
  const DeviceInfo& info = device.info();
  require_memory(setup.what, setup.cache, info);
  if (store.bytes() + estimate_bytes(setup.what, setup.cache, info.llc_bytes) >
      kUsableMemory * info.memory_bytes)
    store.release();
  kernel_ = setup.kernel->prepare(setup.what.values, device);
  PlacementPlan plan = plan_placement(setup.what, setup.cache, info.llc_bytes, kernel_.get());
  operands_ = std::make_unique<PlacedOperands>(setup.what, std::move(plan), setup.seed, store, kernel_.get());
  if (const size_t bytes = kernel_->workspace_bytes(); bytes > 0) workspace_ = device.allocate(bytes);
}

std::unique_ptr<TimedBatch> PreparedCase::make_batch(int launches, size_t planned,
                                                     const SamplingOptions& options) {
  BatchRequest request;
  request.kernel = kernel_.get();
  request.operand_sets = operands_->next_sets(std::max<size_t>(planned, 1));
  request.workspace = workspace_.get();
  request.launches = launches;
  request.cache = setup_.cache;
  request.allow_graph_fail = options.allow_graph_fail;
  request.evict_first = operands_->plan().evict;
  return device_.make_batch(request);
}

/// A recorded graph replays the sets it was recorded with, so it must hold a whole rotation.
std::unique_ptr<TimedBatch> PreparedCase::make_sampling_batch(int& launches, const SamplingOptions& options) {
  const PlacementPlan& plan = operands_->plan();
  // An energy window runs for as long as it takes: it needs the whole rotation. So does eviction, which uses a set.
  const size_t planned =
      options.measure_energy || plan.evict ? SIZE_MAX : size_t(launches) * size_t(options.repetitions);
  auto batch = make_batch(launches, planned, options);
  const auto too_short = [&] {
    return plan.target_bytes > 0 && !plan.evict && batch->rotation() != 0 && batch->rotation() < plan.copies;
  };
  if (too_short() && plan.copies <= size_t(kMostLaunches)) {
    launches = int(plan.copies);
    batch = make_batch(launches, plan.copies, options);
  }
  if (too_short())
    throw Error(
        fmt::format("the serving state needs {} copies of {:.0f} bytes in rotation, the device holds {}; use "
                    "--cache cold",
                    plan.copies, plan.streamed_bytes, batch->rotation()));
  return batch;
}

void PreparedCase::warm_up(const SamplingOptions& options) {
  const int warmups = std::max(options.warmups, launch_ms_ > 0 ? 0 : 1);
  if (warmups == 0) return;
  const bool evict = operands_->plan().evict;
  const auto batch = make_batch(1, evict ? SIZE_MAX : size_t(warmups), options);
  const Stopwatch clock;
  double fastest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < warmups && (i == 0 || clock.ms() < options.max_total_ms); ++i) {
    fastest = std::min(fastest, batch->run_ms());
    operands_->advance(1);
  }
  // Without what a repetition costs beside its launch; what is left of a very short one may be noise.
  constexpr double kLeastShare = 1.0 / 16;
  launch_ms_ =
      std::max({fastest - device_.least_sample_ms() / kTimesLaunchCost, kLeastShare * fastest, 1e-6});
}

int PreparedCase::launches_per_sample(const SamplingOptions& options) const {
  if (setup_.cache == CacheState::cold) return 1;  // every launch is evicted and timed by itself
  const PlacementPlan& plan = operands_->plan();
  const double most = plan.evict ? double(plan.copies - 1) : double(kMostLaunches);
  const double sample_ms = std::max(options.min_sample_ms, device_.least_sample_ms());
  return int(std::clamp(std::ceil(sample_ms / launch_ms_), 1.0, most));
}

double PreparedCase::bytes_touched(const TimedBatch& batch) const {
  const PlacementPlan& plan = operands_->plan();
  if (plan.target_bytes == 0) return plan.set_bytes;
  if (plan.evict) return plan.target_bytes;  // what evicting the caches streams
  const size_t sets = batch.rotation() == 0 ? operands_->rotation() : batch.rotation();
  return double(sets) * plan.streamed_bytes;
}

std::string PreparedCase::note_of(const TimedBatch& batch, const SamplingOptions& options) {
  if (!ran_ && device_.traces_kernels()) {
    const auto one = make_batch(1, operands_->plan().evict ? SIZE_MAX : 1, options);
    ran_ = device_.kernels_run_by([&] { one->run_ms(); });
    operands_->advance(1);
  }
  std::string note;
  for (const std::string& part : {batch.note(), kernel_->detail(), ran_.value_or(""), idle_})
    if (!part.empty()) note += (note.empty() ? "" : "; ") + part;
  return note;
}

Samples PreparedCase::sample(const SamplingOptions& options) {
  if (const auto idle_w = options.measure_energy ? device_.idle_power_w() : std::nullopt)
    idle_ = fmt::format("idle power {:.1f} W", *idle_w);
  warm_up(options);
  Samples samples;
  samples.cache = setup_.cache;
  int launches = launches_per_sample(options);
  const auto batch = make_sampling_batch(launches, options);
  samples.launches_per_sample = launches;
  samples.launch = batch->mode();
  samples.launch_note = note_of(*batch, options);
  samples.bytes_touched = bytes_touched(*batch);
  samples.before = device_.read_sensors();
  const bool energy = options.measure_energy && samples.before.energy_mj && setup_.cache != CacheState::cold;
  const Stopwatch clock;
  const auto go_on = [&] {
    if (samples.latency_ms.empty()) return true;
    const double elapsed_ms = clock.ms();
    if (energy && elapsed_ms < device_.energy_window_ms()) return true;
    return int(samples.latency_ms.size()) < options.repetitions && elapsed_ms < options.max_total_ms;
  };
  while (go_on()) {
    samples.latency_ms.push_back(batch->run_ms() / launches);
    operands_->advance(size_t(launches));
  }
  samples.after = device_.read_sensors();
  if (!energy) samples.before.energy_mj = samples.after.energy_mj = std::nullopt;
  return samples;
}

}  // namespace perfatlas
