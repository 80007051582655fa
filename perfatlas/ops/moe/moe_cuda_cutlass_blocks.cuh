// SPDX-License-Identifier: Apache-2.0
// CUTLASS's grouped product of fp8 with a scale per 1x128 of activations and per 128x128 of weights, for Hopper, which
// FlashInfer has for Blackwell only.
#pragma once

#include <cutlass/cutlass.h>
// Order matters: the builders use cutlass.h without including it.
#include <cutlass/detail/blockwise_scale_layout.hpp>
#include <cutlass/epilogue/collective/collective_builder.hpp>
#include <cutlass/gemm/collective/collective_builder.hpp>
#include <cutlass/gemm/device/gemm_universal_adapter.h>
#include <cutlass/gemm/kernel/gemm_universal.hpp>

#include "perfatlas/backends/cuda/flashinfer_plan.cuh"
#include "perfatlas/backends/cuda/grouped_matmul.h"

namespace perfatlas {

/// All scales are 1. Those of the rows lie as one array for the sorted rows of all groups, [depth / 128][most_rows], as
/// an engine that quantises them together leaves them; since they are alike, every group begins at its first.
class BlockScaledSegmentGemm final : public GroupedMatmul {
  using Element = cutlass::float_e4m3_t;
  using Out = cutlass::bfloat16_t;
  using RowMajor = cutlass::layout::RowMajor;
  using ColumnMajor = cutlass::layout::ColumnMajor;
  using Arch = cutlass::arch::Sm90;
  using TensorCores = cutlass::arch::OpClassTensorOp;
  using Tile = cute::Shape<cute::_128, cute::_128, cute::_128>;
  using Cluster = cute::Shape<cute::_1, cute::_2, cute::_1>;
  using Scales = cutlass::detail::Sm90BlockwiseScaleConfig<1, 128, 128>;
  using RowScales = decltype(Scales::deduce_layoutSFA());
  using WeightScales = decltype(Scales::deduce_layoutSFB());
  static constexpr int kAligned = 16, kOutAligned = 8;  // elements in 16 bytes

  using Epilogue = typename cutlass::epilogue::collective::CollectiveBuilder<
      Arch, TensorCores, Tile, Cluster, cutlass::epilogue::collective::EpilogueTileAuto, float, float, Out,
      RowMajor*, kOutAligned, Out, RowMajor*, kOutAligned,
      cutlass::epilogue::PtrArrayNoSmemWarpSpecialized>::CollectiveOp;
  using Mainloop = typename cutlass::gemm::collective::CollectiveBuilder<
      Arch, TensorCores, Element, cute::tuple<RowMajor*, RowScales*>, kAligned, Element,
      cute::tuple<ColumnMajor*, WeightScales*>, kAligned, float, Tile, Cluster,
      cutlass::gemm::collective::StageCountAutoCarveout<int(sizeof(typename Epilogue::SharedStorage))>,
      cutlass::gemm::KernelPtrArrayTmaWarpSpecializedCooperativeFP8BlockScaledAccum>::CollectiveOp;
  using Groups = cutlass::gemm::GroupProblemShape<cute::Shape<int, int, int>>;
  using Kernel = cutlass::gemm::kernel::GemmUniversal<Groups, Mainloop, Epilogue>;
  using Gemm = cutlass::gemm::device::GemmUniversalAdapter<Kernel>;

 public:
  BlockScaledSegmentGemm(const GroupedShape& shape, Device& device)
      : row_scales_(ones(shape.most_rows * (shape.depth / 128), device)),
        weight_scales_(ones(shape.cols / 128 * (shape.depth / 128), device)) {
    check_cuda(cudaGetDevice(&hardware_.device_id), "cudaGetDevice");
    hardware_.sm_count = cutlass::KernelHardwareInfo::query_device_multiprocessor_count(hardware_.device_id);
    const auto groups = size_t(shape.groups);
    const auto size = cute::make_shape(int(shape.most_rows), int(shape.cols), int(shape.depth), 1);
    row_scale_at_ = on_device(std::vector<const void*>(groups, row_scales_.get()), device);
    weight_scale_at_ = on_device(std::vector<const void*>(groups, weight_scales_.get()), device);
    row_layout_ = on_device(std::vector<RowScales>(groups, Scales::tile_atom_to_shape_SFA(size)), device);
    weight_layout_ =
        on_device(std::vector<WeightScales>(groups, Scales::tile_atom_to_shape_SFB(size)), device);
  }

  /// Descriptors of every multiprocessor: a small part of what FlashInfer hands its own.
  size_t workspace_bytes() const override { return size_t(32) << 20; }

  void launch(const GroupedBuffers& b, Stream stream) override {
    const typename Gemm::Arguments arguments = arguments_of(b);
    if (Gemm::get_workspace_size(arguments) > workspace_bytes())
      throw Error("CUTLASS's grouped product wants more scratch memory than it is given");
    Gemm gemm;
    const auto queue = static_cast<cudaStream_t>(stream);
    check(gemm.can_implement(arguments));
    check(gemm.initialize(arguments, b.workspace, queue));
    check(gemm.run(queue));
  }

 private:
  typename Gemm::Arguments arguments_of(const GroupedBuffers& b) const {
    using StrideA = typename Kernel::InternalStrideA;
    using StrideB = typename Kernel::InternalStrideB;
    using StrideC = typename Kernel::InternalStrideC;
    using StrideD = typename Kernel::InternalStrideD;
    return {cutlass::gemm::GemmUniversalMode::kGrouped,
            {int(b.groups), reinterpret_cast<typename Groups::UnderlyingProblemShape*>(b.sizes), nullptr},
            {array<Element>(b.x), reinterpret_cast<StrideA*>(b.x_strides), array<Element>(b.w),
             reinterpret_cast<StrideB*>(b.w_strides), static_cast<const float**>(row_scale_at_.get()),
             static_cast<RowScales*>(row_layout_.get()), static_cast<const float**>(weight_scale_at_.get()),
             static_cast<WeightScales*>(weight_layout_.get())},
            {{1.0F, 0.0F},
             array<Out>(b.y),
             reinterpret_cast<StrideC*>(b.y_strides),
             reinterpret_cast<Out**>(b.y),
             reinterpret_cast<StrideD*>(b.y_strides)},
            hardware_};
  }

  /// Pointers to elements that the library promises not to write.
  template <class T>
  static const T** array(void** pointers) {
    return const_cast<const T**>(reinterpret_cast<T**>(pointers));
  }
  static void check(cutlass::Status status) {
    if (status != cutlass::Status::kSuccess)
      throw Error(std::string("CUTLASS's grouped product of fp8 blocks: ") + cutlassGetStatusString(status));
  }
  template <class T>
  static std::shared_ptr<void> on_device(const std::vector<T>& values, Device& device) {
    std::shared_ptr<void> memory = device.allocate(values.size() * sizeof(T));
    device.copy_in(memory.get(), values.data(), values.size() * sizeof(T));
    return memory;
  }
  static std::shared_ptr<void> ones(int64_t count, Device& device) {
    return on_device(std::vector<float>(size_t(count), 1.0F), device);
  }

  cutlass::KernelHardwareInfo hardware_;  // asked once: eager launches are timed with what the host does
  std::shared_ptr<void> row_scales_, weight_scales_;
  // An entry per group.
  std::shared_ptr<void> row_scale_at_, weight_scale_at_, row_layout_, weight_layout_;
};

inline std::unique_ptr<GroupedMatmul> make_block_scaled_segment_gemm(const GroupedShape& shape,
                                                                     Device& device) {
  return std::make_unique<BlockScaledSegmentGemm>(shape, device);
}

}  // namespace perfatlas
