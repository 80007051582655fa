// SPDX-License-Identifier: Apache-2.0
// For tests: a rank of perfatlas-worker-nccl on a GPU that is none, with a stand-in for NCCL.
//   perfatlas_fake_nccl_rank GPU RANK RANKS SOCKET
// FAKE_RANK_1 is what befalls rank 1: "closes late" or "dies closing" (memory of another rank), or the call of
// FakeRuntime that fails once.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "perfatlas/backends/cuda/fake_runtime.h"
#include "perfatlas/backends/nccl/fake_peer_sum.h"
#include "perfatlas/backends/nccl/nccl_rank.h"

namespace perfatlas {
namespace {

void befall(FakeRuntime& runtime, const std::string& fate) {
  if (fate == "closes late")
    runtime.before_close = [] { ::usleep(100'000); };
  else if (fate == "dies closing")
    runtime.before_close = [] { std::_Exit(7); };
  else
    runtime.failure = {fate, 1, cudaErrorInvalidValue};
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  using namespace perfatlas;
  try {
    const auto runtime = std::make_shared<FakeRuntime>();
    runtime->shareable = true;
    runtime->devices = 8;
    const NcclRankArguments arguments = parse_rank_arguments(argc - 1, argv + 1);
    if (const char* const fate = std::getenv("FAKE_RANK_1"); fate != nullptr && arguments.rank == 1)
      befall(*runtime, fate);
    run_nccl_rank(arguments, runtime, {{{PERFATLAS_FAKE_LIBRARIES, false}}}, fake_peer_sums());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake rank: %s\n", error.what());
    return 1;
  }
}
