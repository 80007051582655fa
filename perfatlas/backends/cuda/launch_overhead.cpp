// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cuda/launch_overhead.h"

#include <algorithm>

#include "perfatlas/backends/cuda/cuda_batch.h"
#include "perfatlas/backends/kernel.h"

namespace perfatlas {
namespace {

constexpr int kRepetitions = 21;
constexpr int kManyNodes = 101;

class Noop final : public PreparedKernel {
 public:
  explicit Noop(CudaRuntime& runtime) : runtime_(runtime) {}
  void launch(Stream stream, std::span<void* const>, void*) override { runtime_.noop(stream); }

 private:
  CudaRuntime& runtime_;
};

double median_us(TimedBatch& batch) {
  std::vector<double> us;
  for (int i = 0; i < kRepetitions; ++i) us.push_back(batch.run_ms() * 1000);
  std::nth_element(us.begin(), us.begin() + kRepetitions / 2, us.end());
  return us[kRepetitions / 2];
}

/// Events around `launches` empty launches, one after the other on the stream.
double eager_us(CudaRuntime& runtime, Stream stream, int launches) {
  std::vector<double> us;
  const CudaEvent first = runtime.create_event();
  const CudaEvent last = runtime.create_event();
  for (int i = 0; i < kRepetitions; ++i) {
    runtime.record(first, stream);
    for (int launch = 0; launch < launches; ++launch) runtime.noop(stream);
    runtime.record(last, stream);
    runtime.synchronize(stream);
    us.push_back(runtime.elapsed_ms(first, last) * 1000 / launches);
  }
  runtime.destroy_event(first);
  runtime.destroy_event(last);
  std::nth_element(us.begin(), us.begin() + kRepetitions / 2, us.end());
  return us[kRepetitions / 2];
}

}  // namespace

LaunchOverhead measure_launch_overhead(CudaRuntime& runtime, Stream stream) {
  Noop noop(runtime);
  const CudaBatchContext context{.runtime = &runtime, .stream = stream};
  BatchRequest request{.kernel = &noop, .operand_sets = {{}}, .cache = CacheState::hot};
  request.allow_graph_fail = false;
  request.launches = 1;
  CudaBatch one(context, request);
  request.launches = kManyNodes;
  CudaBatch many(context, request);
  const double one_us = median_us(one);
  const double node_us = (median_us(many) - one_us) / (kManyNodes - 1);
  return {.graph_us = std::max(0.0, one_us - node_us),
          .node_us = node_us,
          .eager_us = eager_us(runtime, stream, kManyNodes)};
}

}  // namespace perfatlas
