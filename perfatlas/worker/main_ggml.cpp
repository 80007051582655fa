// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-ggml: measures the kernels of llama.cpp on a set of CPU cores.
#include "perfatlas/backends/cpu/cpu_kernels.h"
#include "perfatlas/backends/cpu/cpu_peaks.h"
#include "perfatlas/backends/ggml/ggml_device.h"
#include "perfatlas/backends/ggml/ggml_kernels.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"
#include "perfatlas/worker/worker_program.h"

namespace perfatlas {
namespace {

int serve_cores(const std::string& cores, ProtocolChannel& channel) {
  GgmlDevice device(cores);
  const OpRegistry ops = all_ops();
  KernelRegistry kernels, best_kernels;
  add_all_ggml_kernels(kernels);
  add_all_cpu_kernels(best_kernels);  // the peaks of the cores are not those of one library
  const WorkerParts parts{
      "perfatlas-worker-ggml " PERFATLAS_VERSION,
      device,
      ops,
      kernels,
      {{"ggml", ggml_library_version()}},
      [&](double budget_s) { return measure_cpu_peaks(device, ops, best_kernels, budget_s); }};
  serve(channel, parts);
  return 0;
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::run_worker_program(
      {.name = "perfatlas-worker-ggml",
       .about = "Measures the kernels of llama.cpp (ggml) on CPU cores.",
       .example_case = "gemm gemm_dtype=q4_0 m=8 n=1024 k=1024",
       .devices_help = "cores to measure on, one thread each: 0-1 or 0,2-3 (default: all)",
       .default_device = "",
       .serve = perfatlas::serve_cores},
      argc, argv);
}
