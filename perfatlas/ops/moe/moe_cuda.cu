// SPDX-License-Identifier: Apache-2.0
// Which CUDA kernels of the expert layer there are. All share the steps around the two grouped products. cuBLAS takes
// the sizes of groups from the host, as engines that use it read them back after routing; that is not timed.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "perfatlas/backends/cuda/cublas_grouped.h"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/moe/moe_cuda_steps.cuh"

namespace perfatlas {
namespace {

/// Pieces of the workspace, each aligned to 256 bytes. With a null base it only counts.
class Pieces {
 public:
  explicit Pieces(void* base) : base_(static_cast<char*>(base)) {}
  template <class T>
  T* take(int64_t count) {
    T* piece = reinterpret_cast<T*>(base_ + used_);
    used_ += (size_t(count) * sizeof(T) + 255) / 256 * 256;
    return piece;
  }
  size_t used() const { return used_; }

 private:
  char* base_;
  size_t used_ = 0;
};

/// T: tokens and results; X: weights and what is multiplied by them.
template <class T, class X>
struct MoeWorkspace {
  MoeTables tables;
  X *sorted, *activated;
  T *middle, *y;
  GroupedBuffers in, out;
  size_t bytes;

  MoeWorkspace(const Moe& op, size_t library_bytes, void* base) {
    Pieces pieces(base);
    const int64_t choices = op.tokens * op.topk, local = op.local_experts(), inter = op.local_inter();
    tables = {.expert = pieces.take<int32_t>(choices),
              .weight = pieces.take<float>(choices),
              .row = pieces.take<int32_t>(choices),
              .counts = pieces.take<int32_t>(local),
              .offsets = pieces.take<int32_t>(local + 1),
              .cursors = pieces.take<int32_t>(local)};
    sorted = pieces.take<X>(choices * op.hidden);
    middle = pieces.take<T>(choices * op.in_matrices() * inter);
    activated = pieces.take<X>(choices * inter);
    y = pieces.take<T>(choices * op.hidden);
    void* library = pieces.take<char>(int64_t(library_bytes));
    in = take_groups(pieces, local, library);
    out = take_groups(pieces, local, library);
    bytes = pieces.used();
  }

  static GroupedBuffers take_groups(Pieces& pieces, int64_t groups, void* library) {
    return {.groups = groups,
            .sizes = pieces.take<GroupSize>(groups),
            .x = pieces.take<void*>(groups),
            .w = pieces.take<void*>(groups),
            .y = pieces.take<void*>(groups),
            .x_strides = pieces.take<int64_t>(groups),
            .w_strides = pieces.take<int64_t>(groups),
            .y_strides = pieces.take<int64_t>(groups),
            .workspace = library};
  }
};

using MakeProduct = std::function<MakeGroupedMatmul>;

template <class T, class X>
class ExpertLayer final : public PreparedKernel {
 public:
  /// A null `make` gives the plain product.
  ExpertLayer(const Moe& op, CudaDevice& device, const MakeProduct& make)
      : op_(op), runtime_(device.runtime()) {
    if (!make) return;
    const int64_t groups = op.local_experts(), rows = op.tokens * op.topk, inter = op.local_inter();
    in_ = make({groups, rows, op.in_matrices() * inter, op.hidden}, device);
    out_ = make({groups, rows, op.hidden, inter}, device);
  }

  void see_content(size_t index, const HostOperand& content) override {
    if (index != moe_logits_at || in_ == nullptr) return;
    std::vector<int64_t> rows(size_t(op_.local_experts()), 0);
    std::vector<int32_t> chosen(size_t(op_.topk));
    for (int64_t token = 0; token < op_.tokens; ++token) {
      top_k(content.values.data() + token * op_.experts, op_.experts, op_.topk, chosen.data());
      for (const int32_t e : chosen)
        if (e < op_.local_experts()) ++rows[size_t(e)];
    }
    in_->see_rows(rows);
    out_->see_rows(rows);
  }

  size_t workspace_bytes() const override { return MoeWorkspace<T, X>(op_, library_bytes(), nullptr).bytes; }

  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    const MoeWorkspace<T, X> memory(op_, library_bytes(), workspace);
    route(memory, stream, operands);
    multiply(in_.get(), memory.in, memory, stream);
    runtime_.run(block_work(ActivateSortedRows<X, T>{.most_rows = op_.tokens * op_.topk,
                                                     .inter = op_.local_inter(),
                                                     .experts = op_.local_experts(),
                                                     .gated = op_.gated,
                                                     .middle = memory.middle,
                                                     .activated = memory.activated,
                                                     .offsets = memory.tables.offsets}),
                 stream);
    multiply(out_.get(), memory.out, memory, stream);
    runtime_.run(block_work(SumRows<T, T>{.tokens = op_.tokens,
                                          .topk = op_.topk,
                                          .hidden = op_.hidden,
                                          .y = memory.y,
                                          .out = static_cast<T*>(operands[moe_out_at]),
                                          .tables = memory.tables}),
                 stream);
  }

 private:
  size_t library_bytes() const {
    return in_ == nullptr ? 0 : std::max(in_->workspace_bytes(), out_->workspace_bytes());
  }

  void route(const MoeWorkspace<T, X>& memory, Stream stream, std::span<void* const> operands) {
    const int64_t local = op_.local_experts();
    runtime_.run(block_work(ClearCounters{local, memory.tables}), stream);
    runtime_.run(block_work(RouteTokens<T>{.tokens = op_.tokens,
                                           .experts = op_.experts,
                                           .topk = op_.topk,
                                           .local = local,
                                           .logits = static_cast<const T*>(operands[moe_logits_at]),
                                           .tables = memory.tables}),
                 stream);
    runtime_.run(block_work(FormGroups<X, T>{.experts = local,
                                             .hidden = op_.hidden,
                                             .inter = op_.local_inter(),
                                             .in_cols = op_.in_matrices() * op_.local_inter(),
                                             .skip_empty = in_ != nullptr && in_->skips_empty_groups(),
                                             .tables = memory.tables,
                                             .in = memory.in,
                                             .out = memory.out,
                                             .x = memory.sorted,
                                             .middle = memory.middle,
                                             .activated = memory.activated,
                                             .y = memory.y,
                                             .w13 = static_cast<const X*>(operands[moe_w13_at]),
                                             .w2 = static_cast<const X*>(operands[moe_w2_at])}),
                 stream);
    runtime_.run(block_work(SortRows<T, X>{.tokens = op_.tokens,
                                           .topk = op_.topk,
                                           .hidden = op_.hidden,
                                           .local = local,
                                           .x = static_cast<const T*>(operands[moe_x_at]),
                                           .sorted = memory.sorted,
                                           .tables = memory.tables}),
                 stream);
  }

  void multiply(GroupedMatmul* library, const GroupedBuffers& groups, const MoeWorkspace<T, X>& memory,
                Stream stream) {
    if (library != nullptr) return library->launch(groups, stream);
    const int64_t cols = groups.sizes == memory.in.sizes ? op_.in_matrices() * op_.local_inter() : op_.hidden;
    runtime_.run(block_work(PlainGroups<X, T>{.most_rows = op_.tokens * op_.topk,
                                              .cols = cols,
                                              .offsets = memory.tables.offsets,
                                              .groups = groups}),
                 stream);
  }

  Moe op_;
  CudaRuntime& runtime_;
  std::unique_ptr<GroupedMatmul> in_, out_;
};

/// The layer with the types of tokens and of what is multiplied.
std::unique_ptr<PreparedKernel> layer_of(const Moe& op, CudaDevice& device, const MakeProduct& make) {
  return with_wide_element(op.token_type(), [&]<class T>(T) -> std::unique_ptr<PreparedKernel> {
    if (traits_of(op.dtype).weight == DType::fp8_e4m3)
      return std::make_unique<ExpertLayer<T, CudaFp8>>(op, device, make);
    return std::make_unique<ExpertLayer<T, T>>(op, device, make);
  });
}

std::string why_not_types(const Moe& op) {
  switch (op.dtype) {
    case Quant::f32:
    case Quant::bf16:
    case Quant::f16:
    case Quant::fp8:
    case Quant::fp8_block:
      return {};
    default:
      return fmt::format("no {} kernel in this build: float32, bfloat16, float16, fp8 and fp8_block only",
                         name_of(op.dtype));
  }
}

std::string unit_of(const Moe& op) {
  return fmt::format("cutlass_segment_gemm_sm90_{}{}", cuda_type_name(traits_of(op.dtype).weight),
                     op.dtype == Quant::fp8_block ? "_block" : "");
}

std::string why_not_cutlass(const Moe& op, const CudaDevice& device) {
  if (std::string reason = why_not_types(op); !reason.empty()) return reason;
  // Rows of every operand begin at multiples of 16 bytes, for the tensor memory accelerator; blocks are whole.
  const int64_t aligned = op.dtype == Quant::fp8_block ? 128 : 16 / (bits_of(traits_of(op.dtype).weight) / 8);
  if (op.hidden % aligned != 0 || op.local_inter() % aligned != 0)
    return fmt::format("CUTLASS needs hidden_size and inter_size on this rank multiples of {}", aligned);
  return why_no_unit(unit_of(op), device);
}

std::string why_not_cublas(const Moe& op, const CudaDevice& device) {
  if (std::string reason = why_not_types(op); !reason.empty()) return reason;
  return why_no_cublas_groups(traits_of(op.dtype).weight, device);
}

}  // namespace

void add_moe_cuda_kernels(KernelRegistry& registry) {
  registry.add(Kernel<Moe, CudaDevice>{
      "cutlass_segment_gemm", "cuda", &why_not_cutlass, [](const Moe& op, CudaDevice& device) {
        return layer_of(op, device, cuda_unit<MakeGroupedMatmul>(unit_of(op)));
      }});
  registry.add(Kernel<Moe, CudaDevice>{
      "cublas_grouped_gemm", "cuda", &why_not_cublas, [](const Moe& op, CudaDevice& device) {
        return layer_of(op, device,
                        [type = traits_of(op.dtype).weight, &device](const GroupedShape& shape, Device&) {
                          return std::make_unique<CublasGroupedMatmul>(shape, type, device);
                        });
      }});
  registry.add(Kernel<Moe, CudaDevice>{
      "reference", "cuda", [](const Moe& op, const CudaDevice&) { return why_not_types(op); },
      [](const Moe& op, CudaDevice& device) { return layer_of(op, device, nullptr); }});
}

}  // namespace perfatlas
