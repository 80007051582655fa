// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/cuda_batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/backends/kernel.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Cold launches between two waits for the device. Small enough that the host never fills the launch queue.
constexpr size_t kColdChunk = 32;

/// Eager launches that are enqueued before the held stream is let go: well below the depth of the launch queue
/// (1024), since a full queue would block the host until the hold times out.
constexpr size_t kEagerHeld = 256;

/// Lets the stream go when an exception leaves the enqueuing half done.
class HeldStream {
 public:
  HeldStream(CudaRuntime& runtime, Stream stream) : runtime_(runtime) { runtime.hold(stream); }
  ~HeldStream() { let_go(); }
  HeldStream(const HeldStream&) = delete;
  HeldStream& operator=(const HeldStream&) = delete;
  void let_go() noexcept { runtime_.let_go(); }

 private:
  CudaRuntime& runtime_;
};

}  // namespace

void ClockMeter::add(const ClockStamp& from, const ClockStamp& to) {
  if (from.multiprocessor != to.multiprocessor || to.ns <= from.ns || to.cycles <= from.cycles) return;
  cycles_ += to.cycles - from.cycles;
  ns_ += to.ns - from.ns;
}

std::optional<double> ClockMeter::take_mhz() {
  if (ns_ == 0) return std::nullopt;
  const double mhz = 1e3 * double(cycles_) / double(ns_);
  cycles_ = ns_ = 0;
  return mhz;
}

CudaBatch::CudaBatch(const CudaBatchContext& context, const BatchRequest& request)
    : context_(context), request_(request) {
  PERFATLAS_ASSERT(request.kernel != nullptr && !request.operand_sets.empty() && request.launches >= 1);
  PERFATLAS_ASSERT((request.cache != CacheState::cold && !request.evict_first) ||
                   context.flush.memory != nullptr);
  const bool cold = request.cache == CacheState::cold;
  per_graph_ = cold ? 1 : size_t(request.launches);
  enqueue(0, 1);
  context_.runtime->synchronize(context_.stream);
  try {
    graph_of(0);
  } catch (const Error& error) {
    drop_graphs();
    if (context_.runtime->lost()) throw;
    if (!request.allow_graph_fail) throw Error(fmt::format("graph capture failed: {}", error.what()));
    mode_ = LaunchMode::eager;
    note_ = fmt::format("graph capture failed: {}", error.what());
  }
  try {
    for (size_t i = 0; i < (cold ? 2 * std::min(kColdChunk, size_t(request.launches)) : 2); ++i)
      events_.push_back(context_.runtime->create_event());
  } catch (...) {
    drop_graphs();
    for (const CudaEvent event : events_) context_.runtime->destroy_event(event);
    throw;
  }
}

CudaBatch::~CudaBatch() {
  drop_graphs();
  for (const CudaEvent event : events_) context_.runtime->destroy_event(event);
}

void CudaBatch::drop_graphs() noexcept {
  for (const auto& [first, graph] : graphs_) context_.runtime->destroy_graph(graph.handle);
  graphs_.clear();
}

void CudaBatch::enqueue(size_t first, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const std::vector<void*>& operands = request_.operand_sets[(first + i) % request_.operand_sets.size()];
    request_.kernel->launch(context_.stream, operands, request_.workspace);
  }
}

CudaGraph CudaBatch::capture(size_t first, size_t count) {
  CudaRuntime& runtime = *context_.runtime;
  CapturedGraph captured;
  try {
    runtime.begin_capture(context_.stream);
    enqueue(first, count);
    captured = runtime.end_capture(context_.stream);
  } catch (...) {
    runtime.abort_capture(context_.stream);
    throw;
  }
  if (captured.nodes < count) {  // work on another stream, or none: its time would mean nothing
    runtime.destroy_graph(captured.graph);
    throw Error(
        fmt::format("{} launches left {} nodes in the graph; the kernel does not use the given stream", count,
                    captured.nodes));
  }
  graphs_[first] = {captured.graph, captured.nodes};
  runtime.upload(captured.graph, context_.stream);
  runtime.synchronize(context_.stream);
  return captured.graph;
}

CudaGraph CudaBatch::graph_of(size_t first) {
  const auto found = graphs_.find(first);
  if (found != graphs_.end()) return found->second.handle;
  size_t nodes = per_graph_;
  for (const auto& [start, graph] : graphs_) nodes += graph.nodes;
  if (nodes > kMaxGraphNodes) drop_graphs();
  return capture(first, per_graph_);
}

double CudaBatch::run_ms() { return request_.cache == CacheState::cold ? run_cold() : run_back_to_back(); }

double CudaBatch::run_back_to_back() {
  CudaRuntime& runtime = *context_.runtime;
  if (request_.evict_first) {
    runtime.fill(context_.flush.memory, 0x5a, context_.flush.bytes, context_.stream);
    enqueue(next_set_, 1);
    next_set_ = (next_set_ + 1) % request_.operand_sets.size();
    runtime.synchronize(context_.stream);
  }
  const size_t first = next_set_;
  const auto launches = size_t(request_.launches);
  const CudaGraph graph = mode_ == LaunchMode::graph ? graph_of(first) : nullptr;
  {
    HeldStream held(runtime, context_.stream);
    if (context_.rendezvous) context_.rendezvous(context_.stream);
    if (context_.stamps != nullptr) runtime.stamp(&context_.stamps[0], context_.stream);
    runtime.record(events_[0], context_.stream);
    if (graph != nullptr) {
      runtime.launch(graph, context_.stream);
    } else {
      const size_t behind_hold = std::min(launches, kEagerHeld);
      enqueue(first, behind_hold);
      if (launches > behind_hold) held.let_go();
      enqueue(first + behind_hold, launches - behind_hold);
    }
    runtime.record(events_[1], context_.stream);
    if (context_.stamps != nullptr) runtime.stamp(&context_.stamps[1], context_.stream);
  }
  runtime.synchronize(context_.stream);
  next_set_ = (first + launches) % request_.operand_sets.size();
  if (context_.stamps != nullptr) {
    ClockStamp read[2];
    runtime.copy(read, context_.stamps, sizeof read, context_.stream);
    context_.clock->add(read[0], read[1]);
  }
  return between(events_[0], events_[1]);
}

double CudaBatch::between(CudaEvent from, CudaEvent to) {
  const double ms = context_.runtime->elapsed_ms(from, to);
  if (!(ms >= 0))
    throw Error(
        fmt::format("the events around a sample are {} ms apart: the device's clock cannot be trusted", ms));
  return ms;
}

double CudaBatch::run_cold() {
  CudaRuntime& runtime = *context_.runtime;
  double total_ms = 0;
  const auto launches = size_t(request_.launches);
  for (size_t done = 0; done < launches;) {
    const size_t chunk = std::min(kColdChunk, launches - done);
    for (size_t i = 0; i < chunk; ++i) {
      const CudaGraph graph = mode_ == LaunchMode::graph ? graph_of(next_set_) : nullptr;
      runtime.fill(context_.flush.memory, 0x5a, context_.flush.bytes, context_.stream);
      runtime.record(events_[2 * i], context_.stream);
      if (graph != nullptr)
        runtime.launch(graph, context_.stream);
      else
        enqueue(next_set_, 1);
      runtime.record(events_[2 * i + 1], context_.stream);
      next_set_ = (next_set_ + 1) % request_.operand_sets.size();
    }
    runtime.synchronize(context_.stream);
    for (size_t i = 0; i < chunk; ++i) total_ms += between(events_[2 * i], events_[2 * i + 1]);
    done += chunk;
  }
  return total_ms;
}

}  // namespace perfatlas
