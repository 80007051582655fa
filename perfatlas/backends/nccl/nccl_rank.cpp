// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/nccl/nccl_rank.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "perfatlas/backends/nccl/nccl_kernels.h"
#include "perfatlas/backends/nccl/nccl_launcher.h"
#include "perfatlas/base/process.h"
#include "perfatlas/base/text.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

constexpr size_t kGuardBytes = 256;
constexpr char kGuard = 0x3c;

char* end_of(const std::shared_ptr<void>& memory, size_t bytes) {
  return static_cast<char*>(memory.get()) + bytes;
}

/// A line of kChildRequestFd.
std::string line_from_front() {
  std::string line;
  for (char byte = 0; ::read(kChildRequestFd, &byte, 1) == 1 && byte != '\n';) line += byte;
  return line;
}

}  // namespace

NcclRankSide::NcclRankSide(const NcclRank& rank)
    : where_(rank), seen_by_kernels_(rank), token_(rank.device->allocate(sizeof(int))) {
  where_.device->start_together([this](Stream stream) {
    where_.nccl->check(where_.nccl->api().all_reduce(token_.get(), token_.get(), 1, ncclInt32, ncclSum,
                                                     where_.communicator, static_cast<cudaStream_t>(stream)),
                       "ncclAllReduce (barrier)");
  });
}

NcclRankSide::~NcclRankSide() {
  batch_.reset();
  where_.device->start_together({});
}

void NcclRankSide::prepare(const Case& what, const KernelEntry& kernel, const std::vector<OperandRow>& rows) {
  for (const OperandRow& row : rows) {
    const auto memory = where_.device->allocate(row.bytes + kGuardBytes);
    const std::string guard(kGuardBytes, kGuard);
    where_.device->copy_in(end_of(memory, row.bytes), guard.data(), guard.size());
    rows_.push_back({row, memory});
  }
  kernel_ = kernel.prepare(what.values, seen_by_kernels_);
  if (const size_t bytes = kernel_->workspace_bytes(); bytes > 0) workspace_ = where_.device->allocate(bytes);
}

RankReadiness NcclRankSide::plan(const RankPlan& plan) {
  batch_.reset();
  BatchRequest request{.kernel = kernel_.get(),
                       .operand_sets = {{}},
                       .workspace = workspace_.get(),
                       .launches = int(plan.launches),
                       .cache = CacheState(plan.cache),
                       .allow_graph_fail = plan.may_be_eager != 0};
  for (const Row& row : rows_) request.operand_sets[0].push_back(row.memory.get());
  batch_ = where_.device->make_batch(request);
  return {batch_->mode(), batch_->note()};
}

void NcclRankSide::load(size_t index, const void* from) {
  const Row& row = rows_[index];
  if (!row.is.output) return where_.device->copy_in(row.memory.get(), from, row.is.bytes);
  const std::string content(row.is.bytes, *static_cast<const char*>(from));
  where_.device->copy_in(row.memory.get(), content.data(), content.size());
}

void NcclRankSide::store(size_t index, void* to) {
  const Row& row = rows_[index];
  char guard[kGuardBytes];
  where_.device->copy_out(guard, end_of(row.memory, row.is.bytes), sizeof guard);
  if (!std::all_of(guard, guard + sizeof guard, [](char byte) { return byte == kGuard; }))
    throw Error(fmt::format("bytes beyond the end of operand {} are written", index));
  where_.device->copy_out(to, row.memory.get(), row.is.bytes);
}

void NcclRankSide::release() {
  batch_.reset();
  kernel_.reset();
  workspace_.reset();
  rows_.clear();
}

NcclRankArguments parse_rank_arguments(int count, const char* const* words) {
  const auto number = [&](int index) {
    const auto parsed = index < count ? parse_integer(words[index]) : std::nullopt;
    return parsed && *parsed >= 0 ? int(*parsed) : -1;
  };
  const NcclRankArguments parsed{count > 0 ? words[0] : "", number(1), number(2), count == 4 ? words[3] : ""};
  if (parsed.socket.empty() || parsed.rank < 0 || parsed.ranks <= parsed.rank)
    throw UsageError("a rank is started by the worker itself: GPU RANK RANKS SOCKET");
  return parsed;
}

void run_nccl_rank(const NcclRankArguments& arguments, std::shared_ptr<CudaRuntime> runtime,
                   const LibrarySearch& search, const PeerSumLibrary* peer_sums) {
  const ncclUniqueId id = unique_id_of(line_from_front());
  const NcclLibrary nccl(search);
  if (!nccl.reason().empty()) throw Error(nccl.reason());
  // Nothing but NCCL is called here: cuBLASLt and NVML are not looked for.
  CudaDevice device(std::move(runtime), arguments.gpu, LibrarySearch{});
  ncclComm_t made = nullptr;
  nccl.check(nccl.api().init_rank(&made, arguments.ranks, id, arguments.rank), "ncclCommInitRank");
  const std::unique_ptr<ncclComm, NcclAbort> communicator(made, NcclAbort{&nccl});
  const OpRegistry ops = all_ops();
  KernelRegistry kernels;
  add_all_nccl_kernels(kernels);
  NcclRankSide side({&device, &nccl, made, arguments.rank, arguments.ranks, peer_sums});
  obey_front(arguments.socket, side, ops, kernels);
  side.release();
}

}  // namespace perfatlas
