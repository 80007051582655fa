// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-cpu: measures on a set of CPU cores what the supervisor asks for.
#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/cpu_kernels.h"
#include "perfatlas/backends/cpu/cpu_peaks.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"
#include "perfatlas/worker/worker_program.h"

namespace perfatlas {
namespace {

int serve_cores(const std::string& cores, ProtocolChannel& channel) {
  CpuDevice device(cores);
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_cpu_kernels(kernels);
  const WorkerParts parts{"perfatlas-worker-cpu " PERFATLAS_VERSION,
                          device,
                          ops,
                          kernels,
                          {{"onednn", onednn_version()}},
                          [&](double budget_s) { return measure_cpu_peaks(device, ops, kernels, budget_s); }};
  serve(channel, parts);
  return 0;
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::run_worker_program(
      {.name = "perfatlas-worker-cpu",
       .about = "Measures kernels on CPU cores.",
       .example_case = "gemm gemm_dtype=float32 m=8 n=1024 k=1024",
       .devices_help = "cores to measure on, one thread each: 0-1 or 0,2-3 (default: all)",
       .default_device = "",
       .serve = perfatlas::serve_cores},
      argc, argv);
}
