// SPDX-License-Identifier: Apache-2.0
// The all-reduce that serving frameworks bring along, from the library that has it: the ranks read each other's
// messages where they lie, as in a framework's graphs, without a copy before.
#include <fmt/format.h>

#include "perfatlas/backends/nccl/peer_memory.h"
#include "perfatlas/backends/nccl/peer_sum.h"
#include "perfatlas/ops/collective/collective_nccl.h"

namespace perfatlas {
namespace {

constexpr std::string_view kName = "flashinfer_vllm_all_reduce";

size_t message_bytes(const CustomAllReduce& op) {
  return size_t(op.elements) * size_t(bytes_of(dtype_of(op.dtype)));
}

class LibraryAllReduce final : public GroupKernel {
 public:
  /// In a front (no rank) nothing is allocated.
  LibraryAllReduce(const CustomAllReduce& op, const NcclDevice& device)
      : op_(op), rank_(device.rank()), library_(device.peer_sums()) {
    if (rank_.device == nullptr) return;
    table_ = rank_.device->allocate(library_->table_bytes);  // may fail in one rank
    signals_ = std::make_unique<PeerMemory>(rank_, library_->signal_bytes(message_bytes(op), rank_.ranks));
  }

  GroupCall call() const override { return group_call(op_, kName); }

  void launch(Stream stream, std::span<void* const> operands, void*) override {
    if (operands[0] != input_) open(operands[0]);
    sum_->launch(operands[1], op_.elements, stream);
  }

 private:
  /// In all ranks before the first launch, which is never captured.
  void open(void* input) {
    sum_.reset();
    inputs_.reset();
    inputs_ = std::make_unique<PeerMemory>(rank_, input);
    sum_ = library_->make({.dtype = dtype_of(op_.dtype),
                           .rank = rank_.rank,
                           .ranks = rank_.ranks,
                           .signals = signals_->buffers(),
                           .inputs = inputs_->buffers(),
                           .table = table_.get()});
    input_ = input;
  }

  CustomAllReduce op_;
  NcclRank rank_;
  const PeerSumLibrary* library_;
  std::shared_ptr<void> table_;
  std::unique_ptr<PeerMemory> signals_, inputs_;
  std::unique_ptr<PeerSum> sum_;
  const void* input_ = nullptr;
};

std::string why_unsupported(const CustomAllReduce& op, const NcclDevice& device) {
  if (device.peer_sums() == nullptr)
    return "this worker was built without the headers of FlashInfer (tools/get_cuda_headers.sh)";
  if (op.ranks != 2 && op.ranks != 4 && op.ranks != 6 && op.ranks != 8)
    return "vLLM's all-reduce is for 2, 4, 6 or 8 ranks";
  if (op.dtype == MessageType::int8) return "vLLM's all-reduce sums float32, float16 and bfloat16";
  if (message_bytes(op) % 16 != 0) return "vLLM's all-reduce takes messages of a multiple of 16 bytes";
  if (op.elements > kMostPeerElements)
    return fmt::format("messages have at most {} elements", kMostPeerElements);
  return why_no_ranks(op.ranks, device);
}

}  // namespace

void add_library_all_reduce(KernelRegistry& registry) {
  registry.add(Kernel<CustomAllReduce, NcclDevice>{
      kName, "nccl", &why_unsupported,
      [](const CustomAllReduce& op, NcclDevice& device) -> std::unique_ptr<PreparedKernel> {
        return std::make_unique<LibraryAllReduce>(op, device);
      }});
}

}  // namespace perfatlas
