// SPDX-License-Identifier: Apache-2.0
// Which CUDA kernels of attention there are, best first, and when they can run. Every kernel first writes the new
// tokens into the cache, as one launch of its own.
#include <fmt/format.h>

#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/attention/attention_cuda_cudnn_unit.h"
#include "perfatlas/ops/attention/attention_cuda_rows.cuh"
#include "perfatlas/ops/attention/attention_cuda_unit.h"
#include "perfatlas/ops/attention/attention_cuda_xqa.h"

namespace perfatlas {
namespace {

/// A launch of the write, then of the attention.
template <class T, class KV>
class CachedAttention : public PreparedKernel {
 public:
  CachedAttention(const AttentionShape& shape, CudaDevice& device)
      : shape_(shape), runtime_(device.runtime()), write_(shape) {
    write_.count = 2;
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) final {
    write_.page_table = static_cast<const int32_t*>(operands[page_table_at]);
    write_.pieces[0] = piece(operands[k_at], operands[k_cache_at]);
    write_.pieces[1] = piece(operands[v_at], operands[v_cache_at]);
    runtime_.run(block_work(write_), stream);
    attend(stream, operands, workspace);
  }

 protected:
  virtual void attend(Stream stream, std::span<void* const> operands, void* workspace) = 0;

  AttentionShape shape_;
  CudaRuntime& runtime_;

 private:
  CachePiece<T, KV> piece(const void* fresh, void* cache) const {
    return {static_cast<const T*>(fresh), static_cast<KV*>(cache), shape_.head_dim, shape_.head_dim, 0};
  }

  WriteTokensBody<T, KV> write_;
};

template <class T, class KV>
class PlainAttention final : public CachedAttention<T, KV> {
 public:
  using CachedAttention<T, KV>::CachedAttention;

 private:
  void attend(Stream stream, std::span<void* const> operands, void*) override {
    const AttentionShape& s = this->shape_;
    const auto rows = [&](AttentionOperand operand) -> PagedRows<KV> {
      return {static_cast<const KV*>(operands[operand]), static_cast<const int32_t*>(operands[page_table_at]),
              s.pages_per_sequence(), s.kv_heads, s.head_dim};
    };
    AttentionRowsBody<T, PagedRows<KV>, PagedRows<KV>> body(s);
    body.q = static_cast<const T*>(operands[q_at]);
    body.keys = rows(k_cache_at);
    body.values = rows(v_cache_at);
    body.out = static_cast<T*>(operands[out_at]);
    this->runtime_.run(block_work(body), stream);
  }
};

template <class T, class KV>
class UnitAttention final : public CachedAttention<T, KV> {
 public:
  UnitAttention(const AttentionShape& shape, CudaDevice& device, std::unique_ptr<PagedAttention> attention,
                double allowed_error = 0)
      : CachedAttention<T, KV>(shape, device),
        attention_(std::move(attention)),
        allowed_error_(allowed_error) {}
  size_t workspace_bytes() const override { return attention_->workspace_bytes(); }
  double allowed_error() const override { return allowed_error_; }

 private:
  void attend(Stream stream, std::span<void* const> operands, void* workspace) override {
    attention_->launch({operands[q_at], operands[k_cache_at], operands[v_cache_at],
                        static_cast<int32_t*>(operands[page_table_at]), operands[out_at], workspace},
                       stream);
  }
  std::unique_ptr<PagedAttention> attention_;
  double allowed_error_;
};

/// f(T{}, KV{}) with the types of activations and cache.
template <class F>
auto with_types(const AttentionShape& s, const F& f) {
  return with_wide_element(s.dtype, [&]<class T>(T type) {
    if (s.kv_dtype == DType::fp8_e4m3) return f(type, CudaFp8{});
    return f(type, T{});
  });
}

std::string why_not_types(const AttentionShape& s) {
  if (std::string reason = why_not_wide(s.dtype); !reason.empty()) return reason;
  if (s.kv_dtype != s.dtype && s.kv_dtype != DType::fp8_e4m3)
    return fmt::format("no CUDA kernel reads a {} cache for {} attention", name_of(s.kv_dtype),
                       name_of(s.dtype));
  return {};
}

std::string unit_of(std::string_view kind, const AttentionShape& s) {
  return fmt::format("flashinfer_{}_{}_{}_{}", kind, cuda_type_name(s.dtype), cuda_type_name(s.kv_dtype),
                     s.head_dim);
}

/// From this group size on FlashInfer's front end (and vLLM's use of it) decodes with the tensor-core kernel.
constexpr int64_t kTensorCoreGroup = 4;

struct Decode {
  static constexpr std::string_view kind = "decode";
  static std::string why_not(const AttentionShape& s) {
    for (const int64_t group : {1, 2, 3, 4, 6, 8, 16})  // what its dispatch knows
      if (s.group() == group) return {};
    return fmt::format("FlashInfer's decode kernel has no group of {} query heads", s.group());
  }
};
struct Prefill {
  static constexpr std::string_view kind = "prefill";
  static std::string why_not(const AttentionShape& s) {
    // Where a query begins is computed in 32 bits (flashinfer/attention/prefill.cuh).
    if (s.batch * s.isl * s.heads * s.head_dim <= UINT32_MAX) return {};
    return "FlashInfer's FlashAttention-2 counts the elements of all queries in 32 bits";
  }
};
struct TensorCoreDecode {
  static constexpr std::string_view kind = "prefill";
  static std::string why_not(const AttentionShape& s) {
    if (s.group() >= kTensorCoreGroup) return Prefill::why_not(s);
    return fmt::format("engines decode groups below {} query heads with the other kernel", kTensorCoreGroup);
  }
};
struct PrefillSm90 {
  static constexpr std::string_view kind = "prefill_sm90";
  static std::string why_not(const AttentionShape& s) {
    return s.kv_dtype == s.dtype ? "" : "FlashAttention-3 of FlashInfer takes queries and cache of one type";
  }
};

template <class Op, class Kind>
Kernel<Op, CudaDevice> unit_kernel(std::string_view name) {
  return {name, "cuda",
          [](const Op& op, const CudaDevice& device) -> std::string {
            const AttentionShape s = op.shape();
            std::string reason = why_not_types(s);
            if (reason.empty()) reason = Kind::why_not(s);
            return reason.empty() ? why_no_unit(unit_of(Kind::kind, s), device) : reason;
          },
          [](const Op& op, CudaDevice& device) {
            const AttentionShape s = op.shape();
            auto* make = cuda_unit<MakePagedAttention>(unit_of(Kind::kind, s));
            return with_types(s, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
              return std::make_unique<UnitAttention<T, KV>>(s, device, make(s, device));
            });
          }};
}

/// The unit is made for every head size; what cuDNN refuses it says when the kernel is prepared.
template <class Op>
Kernel<Op, CudaDevice> cudnn_kernel() {
  return {"cudnn_paged_attention", "cuda",
          [](const Op& op, const CudaDevice& device) -> std::string {
            const AttentionShape s = op.shape();
            if (std::string reason = why_not_types(s); !reason.empty()) return reason;
            if (s.kv_dtype != s.dtype) return "cuDNN's attention here takes queries and cache of one type";
            return why_no_cudnn_attention(s.dtype, s.head_dim, device);
          },
          [](const Op& op, CudaDevice& device) {
            const AttentionShape s = op.shape();
            auto* make = cuda_unit<MakeCudnnAttention>(kCudnnUnit);
            return with_types(s, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
              return std::make_unique<UnitAttention<T, KV>>(s, device, make(s, KeysLie::in_pages, device));
            });
          }};
}

Kernel<AttentionGeneration, CudaDevice> xqa_kernel() {
  return {"flashinfer_xqa_decode", "cuda",
          [](const AttentionGeneration& op, const CudaDevice& device) {
            const std::string reason = why_not_types(op.shape());
            return reason.empty() ? why_no_xqa(op.shape(), device) : reason;
          },
          [](const AttentionGeneration& op, CudaDevice& device) {
            const AttentionShape s = op.shape();
            return with_types(s, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
              return std::make_unique<UnitAttention<T, KV>>(s, device, make_xqa_decode(s, device),
                                                            xqa_allowed_error(s));
            });
          }};
}

template <class Op>
Kernel<Op, CudaDevice> plain_kernel() {
  return {"reference", "cuda", [](const Op& op, const CudaDevice&) { return why_not_types(op.shape()); },
          [](const Op& op, CudaDevice& device) {
            const AttentionShape s = op.shape();
            return with_types(s, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
              return std::make_unique<PlainAttention<T, KV>>(s, device);
            });
          }};
}

}  // namespace

std::string why_no_cudnn_attention(DType dtype, int64_t head_dim, const CudaDevice& device) {
  if (dtype != DType::bf16 && dtype != DType::f16)
    return fmt::format("cuDNN's attention here computes in bfloat16 and float16, not in {}", name_of(dtype));
  if (head_dim % 8 != 0 || head_dim > 256)
    return fmt::format("cuDNN's attention has no head size of {}", head_dim);
  if (std::string reason = why_no_unit(kCudnnUnit, device); !reason.empty()) return reason;
  return device.cudnn().reason();
}

void add_attention_cuda_kernels(KernelRegistry& registry) {
  registry.add(unit_kernel<AttentionContext, PrefillSm90>("flashinfer_paged_prefill_fa3"));
  registry.add(unit_kernel<AttentionContext, Prefill>("flashinfer_paged_prefill_fa2"));
  registry.add(cudnn_kernel<AttentionContext>());
  registry.add(plain_kernel<AttentionContext>());
  registry.add(unit_kernel<AttentionGeneration, TensorCoreDecode>("flashinfer_paged_prefill_fa2"));
  registry.add(unit_kernel<AttentionGeneration, Decode>("flashinfer_paged_decode"));
  registry.add(xqa_kernel());
  registry.add(cudnn_kernel<AttentionGeneration>());
  registry.add(plain_kernel<AttentionGeneration>());
}

}  // namespace perfatlas
