// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_batch.h"

#include <chrono>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/kernel.h"

namespace perfatlas {
namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

CpuBatch::CpuBatch(const BatchRequest& request, CpuDevice& device) : request_(request), device_(device) {
  PERFATLAS_ASSERT(request.kernel != nullptr && !request.operand_sets.empty() && request.launches >= 1);
}

void CpuBatch::launch_next() {
  request_.kernel->launch(nullptr, request_.operand_sets[next_], request_.workspace);
  if (++next_ == request_.operand_sets.size()) next_ = 0;
}

double CpuBatch::run_ms() {
  if (request_.evict_first) {
    device_.evict_caches();
    launch_next();
  }
  if (request_.cache != CacheState::cold) {
    const auto start = Clock::now();
    for (int i = 0; i < request_.launches; ++i) launch_next();
    return ms_since(start);
  }
  double total_ms = 0;
  for (int i = 0; i < request_.launches; ++i) {
    device_.evict_caches();
    const auto start = Clock::now();
    launch_next();
    total_ms += ms_since(start);
  }
  return total_ms;
}

}  // namespace perfatlas
