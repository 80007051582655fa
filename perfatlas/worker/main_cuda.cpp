// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-cuda: measures on one NVIDIA GPU what the supervisor asks for.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/backends/cuda/cuda_kernels.h"
#include "perfatlas/backends/cuda/cuda_probe.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"

namespace perfatlas {
namespace {

constexpr int kDone = 0, kFailure = 1, kUsage = 2;

constexpr const char* kAbout =
    "Measures kernels on one NVIDIA GPU. Started by perfatlas collect, bench, check and probe; reads one "
    "JSON request "
    "per line and writes one JSON answer per line, until its input ends. To try it by hand:\n\n"
    "  echo '{\"id\":1,\"request\":\"hello\"}' | perfatlas-worker-cuda\n"
    "  echo '{\"id\":2,\"request\":\"sample\",\"case\":\"gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096\"}' | "
    "perfatlas-worker-cuda\n\n"
    "cuBLASLt and NVML are looked for at run time; PERFATLAS_CUDA_PATH names folders to look in first.";

struct Options {
  std::string devices = "cuda:0";
  std::string protocol_fds;
};

ProtocolFds fds_of(const Options& options) {
  return options.protocol_fds.empty() ? ProtocolChannel::take_standard_streams()
                                      : parse_protocol_fds(options.protocol_fds);
}

/// Without a usable GPU every request, hello among them, is answered with the reason.
void refuse(ProtocolChannel& channel, const std::string& reason) {
  while (const auto line = channel.read_line()) {
    int64_t id = 0;
    WorkerAnswer answer = FailedAnswer{reason};
    try {
      id = parse_request(*line).id;
    } catch (const Error& error) {
      answer = FailedAnswer{error.what()};
    }
    channel.write_line(format_answer(id, answer));
  }
}

void serve_device(ProtocolChannel& channel, CudaDevice& device) {
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_cuda_kernels(kernels);
  std::map<std::string, std::string> backends;
  if (device.cublaslt().reason().empty()) backends["cuda"] = device.info().versions.at("cuda");
  const WorkerParts parts{
      "perfatlas-worker-cuda " PERFATLAS_VERSION, device, ops, kernels, backends, [&](double budget_s) {
        return measure_cuda_peaks(device, ops, kernels, budget_s);
      }};
  serve(channel, parts);
}

int run(const Options& options) {
  ProtocolChannel channel(fds_of(options));
  std::unique_ptr<CudaDevice> device;
  try {
    device = std::make_unique<CudaDevice>(make_cuda_runtime(), options.devices, library_search());
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    refuse(channel, error.what());
    return kFailure;
  }
  for (const std::string& reason : {device->cublaslt().reason(), device->sensors_reason()})
    if (!reason.empty()) fmt::print(stderr, "perfatlas-worker-cuda: {}\n", reason);
  serve_device(channel, *device);
  return kDone;
}

}  // namespace

int main_cuda(int argc, char** argv) {
  CLI::App app(kAbout, "perfatlas-worker-cuda");
  Options options;
  app.add_option("--devices", options.devices,
                 "the GPU to measure on, as CUDA counts: cuda:0 (the default), cuda:1, ...");
  app.add_option("--protocol-fds", options.protocol_fds,
                 "IN,OUT: open descriptors for requests and answers (default: the standard streams)");
  app.set_version_flag("--version", PERFATLAS_VERSION);
  try {
    app.parse(argc, argv);
    if (options.protocol_fds.empty() && ::isatty(STDIN_FILENO)) {
      fmt::print("{}", app.help());
      return kUsage;
    }
    return run(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const UsageError& error) {
    fmt::print(stderr, "perfatlas-worker-cuda: {}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "perfatlas-worker-cuda: {}\n", error.what());
    return kFailure;
  }
}

}  // namespace perfatlas

int main(int argc, char** argv) { return perfatlas::main_cuda(argc, argv); }
