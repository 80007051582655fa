// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm_cpu_dequant.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <vector>

#include "perfatlas/backends/cpu/avx512_lanes.h"
#include "perfatlas/backends/cpu/onednn_primitive.h"
#include "perfatlas/base/error.h"
#include "perfatlas/ops/gemm/gemm_cpu_dequant_codes.h"

namespace perfatlas {
namespace {

using dnnl::memory;

constexpr size_t kWeights = 1, kScales = 3;
constexpr size_t kAlignment = 4096;

/// Weight rows per block: with few tokens reading the weights is all there is, with many the larger block saves reading
/// the activations again for every block.
int64_t block_rows(const Gemm& gemm) { return gemm.m < 64 ? kPanelRows : 2 * kPanelRows; }

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

bool has_fp8(const Gemm& gemm) { return gemm.dtype == Quant::fp8 || gemm.dtype == Quant::fp8_static; }

/// product[m, columns] = a[m, k] * panels: bf16 to float, dense because oneDNN is slow to write between other columns.
dnnl::matmul::primitive_desc describe(const Gemm& gemm, int64_t columns, const OnednnContext& onednn) {
  constexpr auto kBf16 = memory::data_type::bf16;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {onednn.engine,
          {{gemm.m, gemm.k}, kBf16, memory::format_tag::ab},
          {{gemm.k, columns}, kBf16, memory::format_tag::BA16a64b2a},
          {{gemm.m, columns}, memory::data_type::f32, memory::format_tag::ab},
          attributes};
}

/// The product of one block size, once per thread: a bound primitive serves one caller at a time.
class BlockProduct {
 public:
  BlockProduct(const Gemm& gemm, int64_t columns, int threads, const OnednnContext& onednn) {
    const auto description = describe(gemm, columns, onednn);
    for (int i = 0; i < threads; ++i)
      copies_.emplace_back(
          description,
          std::vector<OnednnPrimitive::Argument>{{DNNL_ARG_SRC, description.src_desc()},
                                                 {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                                 {DNNL_ARG_DST, description.dst_desc()}},
          onednn);
  }

  size_t scratchpad_bytes() const { return copies_.front().scratchpad_bytes(); }
  OnednnPrimitive& of_thread(int thread) { return copies_[size_t(thread)]; }

 private:
  std::vector<OnednnPrimitive> copies_;
};

/// As bf16, times the scale of each column where there are some.
PERFATLAS_AVX512 void store_row(const float* products, const float* scales, int64_t columns, Bf16* d) {
  for (int64_t i = 0; i < columns; i += kLanes) {
    const __mmask16 lanes = lanes_from(columns - i);
    __m512 values = load_lanes(products + i, lanes);
    if (scales != nullptr) values = _mm512_mul_ps(values, load_lanes(scales + i, lanes));
    store_lanes(d + i, lanes, values);
  }
}

class DequantMatmul final : public PreparedKernel {
 public:
  DequantMatmul(const Gemm& gemm, int threads, const OnednnContext& onednn)
      : gemm_(gemm),
        weight_(traits_of(gemm.dtype).weight),
        panels_{gemm.n, gemm.k},
        threads_(threads),
        rows_(block_rows(gemm)),
        dequant_(dequant_function(weight_)) {
    if (gemm.n >= rows_) whole_.emplace(gemm, rows_, threads, onednn);
    if (gemm.n % rows_ != 0) rest_.emplace(gemm, gemm.n % rows_, threads, onednn);
    for (const auto* product : {&whole_, &rest_})
      if (product->has_value()) scratchpad_ = std::max(scratchpad_, (*product)->scratchpad_bytes());
  }

  size_t packed_bytes(size_t index) const override {
    return index == kWeights ? size_t(double(panels_.elements()) * bytes_of(weight_)) : 0;
  }
  void pack(size_t, const void* declared, void* packed) override {
    pack_codes(panels_, weight_, declared, packed);
  }

  size_t workspace_bytes() const override {
    return activation_bytes() + size_t(threads_) * own_bytes() + kAlignment;
  }

  void launch(Stream, std::span<void* const> operands, void* workspace) override {
    auto* memory = reinterpret_cast<std::byte*>(aligned(reinterpret_cast<size_t>(workspace)));
    void* activations = operands[0];
    if (has_fp8(gemm_)) widen_activations(static_cast<const Fp8*>(operands[0]), activations = memory);
    std::byte* const blocks = memory + activation_bytes();
#pragma omp parallel num_threads(threads_)
    {
      const int thread = omp_get_thread_num();
      std::byte* const own = blocks + size_t(thread) * own_bytes();
      auto* const products = reinterpret_cast<float*>(own + block_bytes());
#pragma omp for schedule(dynamic)
      for (int64_t first = 0; first < gemm_.n; first += rows_) {
        dequantise(operands, first, reinterpret_cast<Bf16*>(own));
        BlockProduct& product = gemm_.n - first >= rows_ ? *whole_ : *rest_;
        void* pointers[] = {activations, own, products};
        const dnnl_status_t status =
            product.of_thread(thread).try_execute(pointers, own + block_bytes() + product_bytes());
        if (status != dnnl_success) refusal_ = status;
        store(operands, first, products);
      }
    }
    throw_onednn_refusal(refusal_.exchange(dnnl_success));
  }

 private:
  size_t block_bytes() const {
    return aligned(size_t(rows_ / kPanelRows * panels_.panel_elements()) * sizeof(Bf16));
  }
  size_t product_bytes() const { return aligned(size_t(gemm_.m * rows_) * sizeof(float)); }
  size_t own_bytes() const { return block_bytes() + product_bytes() + aligned(scratchpad_); }
  size_t activation_bytes() const {
    return has_fp8(gemm_) ? aligned(size_t(gemm_.m * gemm_.k) * sizeof(Bf16)) : 0;
  }

  /// Few elements by one thread: another parallel region would take longer.
  void widen_activations(const Fp8* from, void* to) const {
    const int64_t count = gemm_.m * gemm_.k;
    const int threads = count < 65536 ? 1 : threads_;
#pragma omp parallel for simd num_threads(threads) schedule(static) if (threads > 1)
    for (int64_t i = 0; i < count; ++i) static_cast<Bf16*>(to)[i] = to_bf16(to_float(from[i]));
  }

  /// Turns the weight rows of the block from `first` on into bf16, group by group of equal scales.
  void dequantise(std::span<void* const> operands, int64_t first, Bf16* out) const {
    const auto* codes = static_cast<const std::byte*>(operands[kWeights]);
    const bool grouped = gemm_.dtype == Quant::int4_wo;
    const int64_t step = grouped ? kInt4Group / kSlabDepth : panels_.slabs();
    for (int64_t row = first; row < std::min(first + rows_, gemm_.n); row += kPanelRows) {
      const int64_t panel = row / kPanelRows * panels_.panel_elements();
      for (int64_t slab = 0; slab < panels_.slabs(); slab += step) {
        const auto scales = scales_of(operands, row, slab / step);
        const int64_t at = panel + slab * kSlabElements;
        dequant_(codes + int64_t(double(at) * bytes_of(weight_)), scales.data(),
                 std::min(step, panels_.slabs() - slab), out);
        out += std::min(step, panels_.slabs() - slab) * kSlabElements;
      }
    }
  }

  /// Puts the columns from `first` on in their place, with the scales that are one per column.
  void store(std::span<void* const> operands, int64_t first, const float* products) const {
    const int64_t columns = std::min(rows_, gemm_.n - first);
    auto* d = static_cast<Bf16*>(operands[2]) + first;
    const float* scales = nullptr;
    if (gemm_.dtype == Quant::int8_wo) scales = static_cast<const float*>(operands[kScales]) + first;
    for (int64_t row = 0; row < gemm_.m; ++row, d += gemm_.n, products += columns)
      store_row(products, scales, columns, d);
  }

  /// Of the panel's rows within one group; those beyond the last one are 0.
  std::array<float, kPanelRows> scales_of(std::span<void* const> operands, int64_t row, int64_t group) const {
    std::array<float, kPanelRows> scales{};
    const int64_t count = std::min(kPanelRows, gemm_.n - row);
    const int64_t groups = (gemm_.k + kInt4Group - 1) / kInt4Group;
    for (int64_t i = 0; i < count; ++i) {
      scales[size_t(i)] =
          gemm_.dtype == Quant::int4_wo
              ? to_float(static_cast<const Bf16*>(operands[kScales])[(row + i) * groups + group])
              : 1;
    }
    return scales;
  }

  Gemm gemm_;
  DType weight_;
  PanelShape panels_;
  int threads_;
  int64_t rows_;
  DequantSlabs dequant_;
  std::optional<BlockProduct> whole_, rest_;
  size_t scratchpad_ = 0;
  std::atomic<dnnl_status_t> refusal_ = dnnl_success;
};

}  // namespace

std::string why_no_dequant_matmul(const Gemm& gemm, const CpuDevice& device) {
  if (gemm.dtype != Quant::int8_wo && gemm.dtype != Quant::int4_wo && !has_fp8(gemm))
    return "only for int8_wo, int4_wo, fp8 and fp8_static";
  if (!device.isa().avx512 || !device.isa().avx512_bf16)
    return "this CPU has no AVX-512 with bf16 instructions";
  try {
    return onednn_fallback_reason(describe(gemm, std::min(gemm.n, block_rows(gemm)), device.onednn()));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} has no bfloat16 matmul by packed weights for this CPU ({})",
                       onednn_version(), error.what());
  }
}

std::unique_ptr<PreparedKernel> make_dequant_matmul(const Gemm& gemm, CpuDevice& device) {
  try {
    return std::make_unique<DequantMatmul>(gemm, device.threads(), device.onednn());
  } catch (const dnnl::error& error) {
    throw Error(fmt::format("oneDNN {} cannot prepare this matmul: {}", onednn_version(), error.what()));
  }
}

}  // namespace perfatlas
