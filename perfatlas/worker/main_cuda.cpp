// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-cuda: measures on one NVIDIA GPU what the supervisor asks for.
#include <fmt/format.h>

#include <cstdio>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_kernels.h"
#include "perfatlas/backends/cuda/cuda_probe.h"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"
#include "perfatlas/worker/worker_program.h"

namespace perfatlas {
namespace {

struct GpuOptions {
  int tuned_algorithms = 1;
  int trace_kernels = 0;  // 1: yes
};

void serve_device(ProtocolChannel& channel, CudaDevice& device) {
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_cuda_kernels(kernels);
  // The kernel set is named after cuBLASLt; without it only perfatlas's own kernels and those compiled in are left.
  const std::map<std::string, std::string> backends{
      {"cuda", device.cublaslt().reason().empty() ? device.info().versions.at("cuda") : PERFATLAS_VERSION}};
  const WorkerParts parts{
      "perfatlas-worker-cuda " PERFATLAS_VERSION, device, ops, kernels, backends, [&](double budget_s) {
        return measure_cuda_peaks(device, ops, kernels, budget_s);
      }};
  serve(channel, parts);
}

int serve_gpu(const std::string& name, const GpuOptions& options, ProtocolChannel& channel) {
  std::unique_ptr<CudaDevice> device;
  try {
    device = std::make_unique<CudaDevice>(make_cuda_runtime(), name, library_search());
    device->measure_launching();
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    refuse(channel, error.what());
    return 1;
  }
  device->set_tuned_algorithms(options.tuned_algorithms);
  if (options.trace_kernels != 0) device->trace_kernels(library_search());
  if (!cuda_units_version().empty()) device->add_version("flashinfer", cuda_units_version());
  for (const std::string& reason :
       {device->cublaslt().reason(), device->sensors_reason(), device->cupti_reason()})
    if (!reason.empty()) fmt::print(stderr, "perfatlas-worker-cuda: {}\n", reason);
  serve_device(channel, *device);
  return 0;
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  perfatlas::GpuOptions options;
  return perfatlas::run_worker_program(
      {.name = "perfatlas-worker-cuda",
       .about = "Measures kernels on one NVIDIA GPU. cuBLASLt and NVML are looked for at run time; "
                "PERFATLAS_CUDA_PATH names folders to look in first.",
       .example_case = "gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096",
       .devices_help = "the GPU to measure on, as CUDA counts: cuda:0 (the default), cuda:1, ...",
       .default_device = "cuda:0",
       .options = {{"--tune",
                    "Time the first N algorithms of cuBLASLt's heuristic per product and keep the fastest",
                    &options.tuned_algorithms},
                   {"--trace-kernels", "1: the launch note of every row names the kernels that ran (CUPTI)",
                    &options.trace_kernels}},
       .serve =
           [&](const std::string& device, perfatlas::ProtocolChannel& channel) {
             return perfatlas::serve_gpu(device, options, channel);
           }},
      argc, argv);
}
