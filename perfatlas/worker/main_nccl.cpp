// SPDX-License-Identifier: Apache-2.0
// perfatlas-worker-nccl: measures collectives between GPUs of this machine. The process that the supervisor starts is
// the front; it starts one group of ranks per rank count, which are processes of the same executable:
//   perfatlas-worker-nccl --rank GPU RANK RANKS SOCKET
#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "perfatlas/backends/nccl/nccl_kernels.h"
#include "perfatlas/backends/nccl/nccl_rank.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/worker/serve.h"
#include "perfatlas/worker/worker_program.h"

namespace perfatlas {
namespace {

constexpr std::string_view kRankFlag = "--rank";

MeasuredPeaks refuse_probe(double) {
  throw Error("back end nccl measures no peaks of its own; probe the machine with back end cuda");
}

int serve_groups(const std::string& gpus, ProtocolChannel& channel) {
  const LibrarySearch search = library_search();
  const NcclLibrary nccl(search);
  const auto runtime = make_cuda_runtime();
  NcclDevice device(
      {.gpus = gpus,
       .rank_program = {std::filesystem::read_symlink("/proc/self/exe").string(), std::string(kRankFlag)},
       .runtime = runtime.get(),
       .nccl = &nccl,
       .search = search,
       .peer_sums = flashinfer_peer_sums()});
  if (!device.launcher_problem().empty()) {
    refuse(channel, device.launcher_problem());
    return 1;
  }
  if (const std::string reason = device.sensors_reason(); !reason.empty())
    fmt::print(stderr, "perfatlas-worker-nccl: {}\n", reason);
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_nccl_kernels(kernels);
  const WorkerParts parts{"perfatlas-worker-nccl " PERFATLAS_VERSION,
                          device,
                          ops,
                          kernels,
                          {{"nccl", nccl.version()}},
                          &refuse_probe,
                          [&device](size_t count) { return device.rank_ms(count); }};
  try {
    serve(channel, parts);
  } catch (const RankLost& loss) {
    fmt::print(stderr, "perfatlas-worker-nccl: {}\n", loss.reason);
    return 1;
  }
  return 0;
}

int be_a_rank(int count, char** words) {
  try {
    run_nccl_rank(parse_rank_arguments(count, words), make_cuda_runtime(), library_search(),
                  flashinfer_peer_sums());
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "perfatlas-worker-nccl {}: {}\n", kRankFlag, error.what());
    return 1;
  }
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  if (argc >= 2 && argv[1] == perfatlas::kRankFlag) return perfatlas::be_a_rank(argc - 2, argv + 2);
  return perfatlas::run_worker_program(
      {.name = "perfatlas-worker-nccl",
       .about = "Measures collectives between the NVIDIA GPUs of this machine, one process per GPU. NCCL is "
                "looked "
                "for at run time; PERFATLAS_CUDA_PATH names folders to look in first.",
       .example_case = "collective op_name=all_reduce nccl_dtype=half num_gpus=2 message_size=1024",
       .devices_help = "GPUs to measure on, one rank each: cuda:0-3 or 0,2, or all",
       .default_device = "all",
       .serve = perfatlas::serve_groups},
      argc, argv);
}
