// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-mpi: measures collectives between MPI ranks on this machine. The process that the supervisor starts
// is the front; it starts one group of ranks per rank count, which are processes of the same executable:
//   perfatlas-worker-mpi --rank CORES ADDRESS
// Ranks on other hosts: PERFATLAS_MPI_LAUNCH names the words that start them inside an allocation (docs/scale-out.md).
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "perfatlas/backends/mpi/mpi_device.h"
#include "perfatlas/backends/mpi/mpi_kernels.h"
#include "perfatlas/backends/mpi/rank_program.h"
#include "perfatlas/base/command.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"
#include "perfatlas/worker/worker_program.h"

namespace perfatlas {
namespace {

constexpr std::string_view kRankFlag = "--rank";

MeasuredPeaks refuse_probe(double) {
  throw Error("back end mpi measures no peaks of its own; probe the machine with back end onednn");
}

int serve_groups(const std::string& cores, ProtocolChannel& channel) {
  MpiDevice device(cores, {std::filesystem::read_symlink("/proc/self/exe").string(), std::string(kRankFlag)});
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_mpi_kernels(kernels);
  if (const char* const launcher = std::getenv("PERFATLAS_MPI_LAUNCH");
      launcher != nullptr && *launcher != '\0')
    device.use_launcher(shell_words(launcher));
  const WorkerParts parts{"perfatlas-worker-mpi " PERFATLAS_VERSION,
                          device,
                          ops,
                          kernels,
                          {{"mpi", device.info().versions.at("openmpi")}},
                          &refuse_probe,
                          [&device](size_t count) { return device.rank_ms(count); }};
  try {
    serve(channel, parts);
  } catch (const RankLost& loss) {
    fmt::print(stderr, "perfatlas-worker-mpi: {}\n", loss.reason);
    return 1;
  }
  return 0;
}

int be_a_rank(const char* cores, const char* address) {
  try {
    MpiDevice device(cores, {});
    const OpRegistry ops = all_ops();
    KernelRegistry kernels;
    add_all_mpi_kernels(kernels);
    return run_rank(address, device, ops, kernels);
  } catch (const std::exception& error) {
    fmt::print(stderr, "perfatlas-worker-mpi {}: {}\n", kRankFlag, error.what());
    return 1;
  }
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  if (argc == 4 && argv[1] == perfatlas::kRankFlag) return perfatlas::be_a_rank(argv[2], argv[3]);
  return perfatlas::run_worker_program(
      {.name = "perfatlas-worker-mpi",
       .about = "Measures collectives between MPI ranks on CPU cores.",
       .example_case = "collective op_name=all_reduce nccl_dtype=float num_gpus=2 message_size=1024",
       .devices_help = "cores to measure on, one rank each while they last: 0-1 or 0,2-3 (default: all)",
       .default_device = "",
       .serve = perfatlas::serve_groups},
      argc, argv);
}
