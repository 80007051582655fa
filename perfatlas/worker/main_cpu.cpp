// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-cpu: measures on a set of CPU cores what the supervisor asks for.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/backends/cpu/cpu_kernels.h"
#include "perfatlas/backends/cpu/cpu_peaks.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"

namespace perfatlas {
namespace {

constexpr int kDone = 0, kFailure = 1, kUsage = 2;

constexpr const char* kAbout =
    "Measures kernels on CPU cores. Started by perfatlas collect, bench, check and probe; reads one JSON "
    "request per "
    "line and writes one JSON answer per line, until its input ends. To try it by hand:\n\n"
    "  echo '{\"id\":1,\"request\":\"hello\"}' | perfatlas-worker-cpu\n"
    "  echo '{\"id\":2,\"request\":\"sample\",\"case\":\"gemm gemm_dtype=float32 m=8 n=1024 k=1024\"}' | "
    "perfatlas-worker-cpu";

struct Options {
  std::string devices;
  std::string protocol_fds;
};

ProtocolFds fds_of(const Options& options) {
  return options.protocol_fds.empty() ? ProtocolChannel::take_standard_streams()
                                      : parse_protocol_fds(options.protocol_fds);
}

int run(const Options& options) {
  ProtocolChannel channel(fds_of(options));
  CpuDevice device(options.devices);
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
  return kDone;
}

}  // namespace

int main_cpu(int argc, char** argv) {
  CLI::App app(kAbout, "perfatlas-worker-cpu");
  Options options;
  app.add_option("--devices", options.devices,
                 "cores to measure on, one thread each: 0-1 or 0,2-3 (default: all)");
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
    fmt::print(stderr, "perfatlas-worker-cpu: {}\n", error.what());
    return kUsage;
  } catch (const std::exception& error) {
    fmt::print(stderr, "perfatlas-worker-cpu: {}\n", error.what());
    return kFailure;
  }
}

}  // namespace perfatlas

int main(int argc, char** argv) { return perfatlas::main_cpu(argc, argv); }
