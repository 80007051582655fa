// SPDX-License-Identifier: Apache-2.0
// One timed repetition on a GPU.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "perfatlas/backends/cuda/runtime.h"

namespace perfatlas {

/// What evicts the L2: a buffer of more than twice its size that is written before every cold launch. Its lines are
/// left dirty, as an op that has just written its output leaves them.
struct FlushBuffer {
  void* memory = nullptr;
  size_t bytes = 0;
};

/// The clock at which the multiprocessors ran, averaged over the samples since it was last asked. NVML's clock is of
/// one moment, and lags; this is what the work itself saw.
class ClockMeter {
 public:
  /// Stamps of different multiprocessors say nothing, and are ignored.
  void add(const ClockStamp& from, const ClockStamp& to);
  /// Megahertz; forgets what it was told.
  std::optional<double> take_mhz();

 private:
  uint64_t cycles_ = 0, ns_ = 0;
};

/// Where and with what a batch runs; everything outlives it.
struct CudaBatchContext {
  CudaRuntime* runtime = nullptr;
  Stream stream = nullptr;
  ClockStamp* stamps = nullptr;  // two, in device memory; null: the clock is not looked at
  ClockMeter* clock = nullptr;   // gets what they say
  FlushBuffer flush;             // needed for CacheState::cold and BatchRequest::evict_first
  /// Enqueued directly before the first event of a back-to-back repetition: a barrier among the processes that share
  /// the launches. May be empty.
  std::function<void(Stream)> rendezvous = {};
};

/// How each cache state is timed, always behind a kernel or a flush that keeps the stream busy while the host
/// enqueues, so that no gap of the host lies between the two events:
///   hot, serving  events around one graph of `launches` launches (or around as many eager ones). Rotation continues
///                 where the last repetition ended: a buffer is used again only after all the other sets, whatever
///                 the ratio of launches to sets, so graphs are captured per starting set, on demand and untimed.
///   cold          the L2 is flushed before every launch, outside the events around each; repetition time is the sum.
/// Graphs and events are destroyed with the batch, before it returns.
class CudaBatch final : public TimedBatch {
 public:
  /// Launches once, which loads the kernel's modules; then captures the first graph. When that fails the batch runs
  /// eagerly and note() says why, or Error is thrown when the request does not allow it.
  /// REQUIRES: at least one operand set, at least one launch.
  CudaBatch(const CudaBatchContext& context, const BatchRequest& request);
  ~CudaBatch() override;
  CudaBatch(const CudaBatch&) = delete;
  CudaBatch& operator=(const CudaBatch&) = delete;

  double run_ms() override;
  LaunchMode mode() const override { return mode_; }
  std::string note() const override { return note_; }

  /// Graphs held at once are bounded by their nodes, about 1 KiB of device memory each.
  static constexpr size_t kMaxGraphNodes = 16384;

 private:
  /// Launches `count` times, from operand set `first` on.
  void enqueue(size_t first, size_t count);
  CudaGraph capture(size_t first, size_t count);
  /// The graph of one repetition that starts with set `first`; captured when it is not there yet.
  CudaGraph graph_of(size_t first);
  void drop_graphs() noexcept;
  double run_back_to_back();
  double run_cold();
  /// Milliseconds between two events. Throws Error when they are in the wrong order.
  double between(CudaEvent from, CudaEvent to);

  CudaBatchContext context_;
  BatchRequest request_;
  size_t per_graph_ = 1;  // launches in one graph
  size_t next_set_ = 0;
  LaunchMode mode_ = LaunchMode::graph;
  std::string note_;
  struct Graph {
    CudaGraph handle;
    size_t nodes;
  };
  std::map<size_t, Graph> graphs_;  // by starting set
  std::vector<CudaEvent> events_;
};

}  // namespace perfatlas
