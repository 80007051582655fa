// SPDX-License-Identifier: Apache-2.0
// For tests: a rank of perfatlas-worker-nccl on a GPU that is none, with a stand-in for NCCL.
//   perfatlas_fake_nccl_rank GPU RANK RANKS SOCKET
#include <cstdio>

#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/nccl/nccl_rank.h"

int main(int argc, char** argv) {
  using namespace perfatlas;
  try {
    const auto runtime = std::make_shared<FakeRuntime>();
    runtime->shareable = true;
    runtime->devices = 8;
    run_nccl_rank(parse_rank_arguments(argc - 1, argv + 1), runtime, {{{PERFATLAS_FAKE_LIBRARIES, false}}});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake rank: %s\n", error.what());
    return 1;
  }
}
