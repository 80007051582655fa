// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/kernel_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/worker/remote_operands.h"

namespace perfatlas {
namespace {

/// One back end of each worker executable; a worker lists the kernels of all its back ends.
constexpr const char* kWorkers[] = {"onednn", "ggml", "vllm_cpu", "mpi", "cuda", "nccl"};
constexpr double kDeadlineSeconds = 60;

void ask_worker(const std::string& backend, const Case& c, std::vector<KernelStatus>& out) {
  try {
    WorkerSession worker(backend, "");
    KernelsRequest request{case_text(c)};
    if (worker.hello().wants_operands) request.offer = describe_operands(c);
    const WorkerAnswer answer = worker.ask(request, kDeadlineSeconds);
    if (const auto* failed = std::get_if<FailedAnswer>(&answer)) throw Error(failed->error);
    for (const KernelsAnswer::Entry& entry : std::get<KernelsAnswer>(answer).kernels)
      out.push_back({entry.backend, entry.kernel, entry.reason});
  } catch (const Error& error) {
    out.push_back({backend, "-", error.what()});
  }
}

}  // namespace

bool seen_on_hardware(std::string_view backend) {
  constexpr std::string_view kUnseen[] = {"cuda", "nccl", "vllm", "sglang", "trtllm"};
  return std::find(std::begin(kUnseen), std::end(kUnseen), backend) == std::end(kUnseen);
}

std::vector<KernelStatus> kernels_here(const Case& c) {
  std::vector<KernelStatus> list;
  if (!c.op->measurable()) return list;
  for (const char* backend : kWorkers) ask_worker(backend, c, list);
  return list;
}

}  // namespace perfatlas
