// SPDX-License-Identifier: Apache-2.0
// Which CUDA kernels of latent attention there are, best first. Every kernel first writes the new latent rows into the
// cache, as one launch of its own.
#include <fmt/format.h>

#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/attention/attention_cuda_rows.cuh"
#include "perfatlas/ops/mla/mla.h"
#include "perfatlas/ops/mla/mla_cuda_unit.h"

namespace perfatlas {
namespace {

/// Where the operands of either op lie in its list.
struct MlaPlaces {
  size_t latent, cache, page_table, out;
  bool expanded;  // keys and values are operands of their own (context)
};
constexpr MlaPlaces places_of(const MlaContext&) {
  return {MlaContext::latent_at, MlaContext::cache_at, MlaContext::page_table_at, MlaContext::out_at, true};
}
constexpr MlaPlaces places_of(const MlaGeneration&) {
  return {MlaGeneration::latent_at, MlaGeneration::cache_at, MlaGeneration::page_table_at,
          MlaGeneration::out_at, false};
}

/// A launch of the write, then of the attention.
template <class T, class KV>
class LatentAttention : public PreparedKernel {
 public:
  LatentAttention(const AttentionShape& shape, const MlaPlaces& places, CudaDevice& device)
      : shape_(shape), places_(places), runtime_(device.runtime()), write_(shape) {
    write_.kv_heads = 1;
    write_.count = 1;
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) final {
    write_.page_table = static_cast<const int32_t*>(operands[places_.page_table]);
    write_.pieces[0] = {static_cast<const T*>(operands[places_.latent]),
                        static_cast<KV*>(operands[places_.cache]), kMlaCached, kMlaCached, 0};
    runtime_.run(block_work(write_), stream);
    attend(stream, operands, workspace);
  }

 protected:
  virtual void attend(Stream stream, std::span<void* const> operands, void* workspace) = 0;

  AttentionShape shape_;
  MlaPlaces places_;
  CudaRuntime& runtime_;

 private:
  WriteTokensBody<T, KV> write_;
};

template <class T, class KV>
class PlainLatentAttention final : public LatentAttention<T, KV> {
 public:
  using LatentAttention<T, KV>::LatentAttention;

 private:
  void attend(Stream stream, std::span<void* const> operands, void*) override {
    const AttentionShape& s = this->shape_;
    if (this->places_.expanded) {
      const auto rows = [&](size_t at, int64_t width) -> DenseRows<T> {
        return {static_cast<const T*>(operands[at]), s.context_tokens(), s.kv_heads, width};
      };
      AttentionRowsBody<T, DenseRows<T>, DenseRows<T>> body(s);
      body.keys = rows(MlaContext::k_at, kMlaKey);
      body.values = rows(MlaContext::v_at, kMlaValue);
      run(body, stream, operands);
    } else {
      AttentionRowsBody<T, PagedRows<KV>, PagedRows<KV>> body(s);
      body.keys = {static_cast<const KV*>(operands[this->places_.cache]),
                   static_cast<const int32_t*>(operands[this->places_.page_table]), s.pages_per_sequence(), 1,
                   kMlaCached};
      body.values = body.keys;
      run(body, stream, operands);
    }
  }

  template <class Body>
  void run(Body& body, Stream stream, std::span<void* const> operands) {
    body.q = static_cast<const T*>(operands[0]);
    body.out = static_cast<T*>(operands[this->places_.out]);
    this->runtime_.run(block_work(body), stream);
  }
};

template <class T, class KV>
class UnitLatentAttention final : public LatentAttention<T, KV> {
 public:
  UnitLatentAttention(const AttentionShape& shape, const MlaPlaces& places, CudaDevice& device,
                      std::unique_ptr<MlaAttention> attention)
      : LatentAttention<T, KV>(shape, places, device), attention_(std::move(attention)) {}
  size_t workspace_bytes() const override { return attention_->workspace_bytes(); }

 private:
  void attend(Stream stream, std::span<void* const> operands, void* workspace) override {
    MlaBuffers buffers{.q = operands[0], .out = operands[this->places_.out], .workspace = workspace};
    if (this->places_.expanded) {
      buffers.k = operands[MlaContext::k_at];
      buffers.v = operands[MlaContext::v_at];
    } else {
      buffers.cache = operands[this->places_.cache];
      buffers.pages = static_cast<int32_t*>(operands[this->places_.page_table]);
    }
    attention_->launch(buffers, stream);
  }
  std::unique_ptr<MlaAttention> attention_;
};

template <class Op>
std::string why_not_types(const Op& op) {
  if (std::string reason = why_not_wide(op.dtype); !reason.empty()) return reason;
  if (op.kv_dtype != op.dtype && op.kv_dtype != DType::fp8_e4m3)
    return fmt::format("no CUDA kernel keeps a {} latent cache for {} attention", name_of(op.kv_dtype),
                       name_of(op.dtype));
  return {};
}

/// f(T{}, KV{}) with the types of activations and cache.
template <class Op, class F>
std::unique_ptr<PreparedKernel> with_types(const Op& op, const F& f) {
  return with_wide_element(op.dtype, [&]<class T>(T type) {
    return op.kv_dtype == DType::fp8_e4m3 ? f(type, CudaFp8{}) : f(type, T{});
  });
}

template <bool for_hopper>
std::string unit_of(const MlaContext& op) {
  return fmt::format("flashinfer_mla_prefill_{}{}", for_hopper ? "sm90_" : "", cuda_type_name(op.dtype));
}
template <bool for_hopper>
std::string unit_of(const MlaGeneration& op) {
  return mla_decode_unit(for_hopper, op.dtype, op.kv_dtype);
}

template <bool for_hopper>
std::string why_not_shape(const MlaContext& op) {
  const AttentionShape s = op.shape();
  // FlashAttention-2 computes where a key begins in 32 bits (flashinfer/attention/prefill.cuh).
  return !for_hopper && s.batch * s.context_tokens() * s.heads * kMlaKey > UINT32_MAX
             ? "FlashInfer's FlashAttention-2 counts the elements of all keys in 32 bits"
             : "";
}
template <bool for_hopper>
std::string why_not_shape(const MlaGeneration& op) {
  return why_no_mla_requests(op.batch, op.heads);
}

template <bool for_hopper>
std::string why_no_unit_of(const MlaContext& op, const CudaDevice& device) {
  return why_no_unit(unit_of<for_hopper>(op), device);
}
template <bool for_hopper>
std::string why_no_unit_of(const MlaGeneration& op, const CudaDevice& device) {
  return why_no_mla_decode_unit(for_hopper, op.dtype, op.kv_dtype, device);
}

template <class Op, bool for_hopper>
std::string why_no_mla_unit(const Op& op, const CudaDevice& device) {
  if (std::string reason = why_not_types(op); !reason.empty()) return reason;
  if (std::string reason = why_not_shape<for_hopper>(op); !reason.empty()) return reason;
  return why_no_unit_of<for_hopper>(op, device);
}

std::unique_ptr<MlaAttention> made_by(const std::string& unit, const MlaContext& op, CudaDevice& device) {
  return cuda_unit<MakeMlaAttention>(unit)(op.shape(), device);
}
std::unique_ptr<MlaAttention> made_by(const std::string& unit, const MlaGeneration& op, CudaDevice& device) {
  const AttentionShape s = op.shape();
  return cuda_unit<MakeMlaDecode>(unit)(
      {.heads = s.heads,
       .pages_per_request = s.pages_per_sequence(),
       .lengths = std::vector<int32_t>(size_t(s.batch), int32_t(s.context_tokens())),
       .scale = s.score_scale()},
      device);
}

template <class Op, bool for_hopper>
std::unique_ptr<PreparedKernel> prepare_unit(const Op& op, CudaDevice& device) {
  return with_types(op, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
    return std::make_unique<UnitLatentAttention<T, KV>>(op.shape(), places_of(op), device,
                                                        made_by(unit_of<for_hopper>(op), op, device));
  });
}

template <class Op>
Kernel<Op, CudaDevice> plain_kernel() {
  return {"reference", "cuda", [](const Op& op, const CudaDevice&) { return why_not_types(op); },
          [](const Op& op, CudaDevice& device) {
            return with_types(op, [&]<class T, class KV>(T, KV) -> std::unique_ptr<PreparedKernel> {
              return std::make_unique<PlainLatentAttention<T, KV>>(op.shape(), places_of(op), device);
            });
          }};
}

template <class Op, bool for_hopper>
void add_unit(KernelRegistry& registry, std::string_view name) {
  registry.add(
      Kernel<Op, CudaDevice>{name, "cuda", &why_no_mla_unit<Op, for_hopper>, &prepare_unit<Op, for_hopper>});
}

/// FlashInfer's plan has room for 16,384 pieces of work and does not look whether they fit (MLAPlan in scheduler.cuh):
/// one per request of up to 128 heads, and by splitting at most one more per multiprocessor.
constexpr int64_t kMostMlaRequests = 16384 - 1024;

/// A request of more heads is cut into tiles, whose causal bound is rounded down (BatchMLAPagedAttentionKernel in
/// mla.cuh): all but the last may miss the last token.
constexpr int64_t kMostMlaHeads = 128;

}  // namespace

std::string mla_decode_unit(bool for_hopper, DType dtype, DType kv_dtype) {
  return fmt::format("flashinfer_mla_decode_{}{}_{}", for_hopper ? "sm90_" : "", cuda_type_name(dtype),
                     cuda_type_name(kv_dtype));
}

std::string why_no_mla_decode_unit(bool for_hopper, DType dtype, DType kv_dtype, const CudaDevice& device) {
  // Queries, tiles as stored and tiles made bf16: SharedStorageQKVO in mla.cuh with 32 tokens in two stages.
  const int sm = device.sm_version();
  if (kv_dtype == DType::fp8_e4m3 && !for_hopper && (sm < 90 || sm >= 120))
    return fmt::format("FlashInfer decodes an fp8 cache in 181 KiB of shared memory, which {} does not have",
                       device.info().name);
  return why_no_unit(mla_decode_unit(for_hopper, dtype, kv_dtype), device);
}

std::string why_no_mla_requests(int64_t requests, int64_t heads) {
  if (heads > kMostMlaHeads) return fmt::format("FlashInfer decodes at most {} heads here", kMostMlaHeads);
  if (requests > kMostMlaRequests)
    return fmt::format("FlashInfer's plan holds at most {} query tokens", kMostMlaRequests);
  return {};
}

void add_mla_cuda_kernels(KernelRegistry& registry) {
  add_unit<MlaContext, true>(registry, "flashinfer_ragged_prefill_fa3");
  add_unit<MlaContext, false>(registry, "flashinfer_ragged_prefill_fa2");
  registry.add(plain_kernel<MlaContext>());
  add_unit<MlaGeneration, true>(registry, "flashinfer_mla_decode_sm90");
  add_unit<MlaGeneration, false>(registry, "flashinfer_mla_decode_fa2");
  registry.add(plain_kernel<MlaGeneration>());
}

}  // namespace perfatlas
