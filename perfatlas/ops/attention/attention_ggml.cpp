// SPDX-License-Identifier: Apache-2.0
// Attention as llama.cpp computes it with flash attention on: set_rows writes the new keys and values to the cache,
// then flash_attn_ext reads it through a mask, micro-batch by micro-batch. Queries, new keys and values, and results
// are float32 as everywhere in llama.cpp; the cache has the type asked for.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/attention/attention_ggml_cache.h"

namespace perfatlas {
namespace {

/// Masks are made when the kernel is prepared; llama.cpp fills one of them anew per micro-batch.
constexpr double kMostMaskBytes = 1024.0 * 1024 * 1024;

double mask_bytes(const AttentionShape& shape) {
  double bytes = 0;
  for (const GgmlMicroBatch& batch : ggml_micro_batches(shape))
    bytes += 2 * double(batch.tokens) * double(batch.end_position - batch.first_position);
  return bytes;
}

class GgmlAttention final : public PreparedKernel {
 public:
  GgmlAttention(const AttentionShape& shape, const GgmlDevice& device)
      : s_(shape),
        cache_(shape),
        batches_(ggml_micro_batches(shape)),
        graph_(device, 16 + 12 * batches_.size()) {
    k_cache_ = cache_operand(k_cache_at);
    v_cache_ = cache_operand(v_cache_at);
    write_new_tokens();
    for (const GgmlMicroBatch& batch : batches_) attend(batch);
  }

  std::string why_unsupported() const { return graph_.why_unsupported(); }
  void finish() { graph_.finish(); }

  size_t workspace_bytes() const override { return graph_.workspace_bytes(); }
  /// Queries are rounded to the type that keys are multiplied in. A score s is off by about 2^-9 s for bfloat16 and
  /// 2^-7 s for 8-bit blocks, the weight of a token that outweighs the others (s up to about 5) by that share.
  /// A float16 cache: values are summed in float16. Of n terms of one size and either sign the i-th sum is about
  /// sqrt(i) terms large and rounded to 2^-12 of that; the roundings add up to 2^-13 sqrt(n) of the last sum. Twice
  /// that.
  double allowed_error() const override {
    const int64_t most = s_.window > 0 ? std::min(s_.window, s_.context_tokens()) : s_.context_tokens();
    switch (s_.kv_dtype) {
      case DType::f16:
        return 2e-3 + 0x1p-12 * std::sqrt(double(most));
      case DType::bf16:
        return 0.02;
      case DType::q8_0:
        return 0.04;
      default:
        return 0;
    }
  }
  std::optional<DType> taken_dtype(size_t index) const override { return graph_.taken_dtype(index); }
  size_t packed_bytes(size_t index) const override { return is_cache(index) ? cache_.bytes() : 0; }
  void see_content(size_t, const HostOperand& content) override {
    if (content.declared.dtype == DType::int32) page_table_ = content.indices;
  }
  void pack(size_t, const void* declared, void* packed) override {
    cache_.pack(page_table_, declared, packed);
  }
  void unpack(size_t, const void* packed, void* declared) override {
    cache_.unpack(page_table_, packed, declared);
  }
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override {
    graph_.launch(stream, operands, workspace);
  }

 private:
  static bool is_cache(size_t index) { return index == k_cache_at || index == v_cache_at; }

  /// One row per position of every stream, as set_rows needs it.
  ggml_tensor* cache_operand(size_t index) {
    return graph_.operand(index, *ggml_type_of(s_.kv_dtype),
                          {s_.kv_heads * s_.head_dim, s_.batch * cache_.stream_tokens(), 1, 1});
  }

  void write_new_tokens() {
    const int64_t tokens = s_.batch * s_.isl;
    std::vector<int64_t> cells;
    for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
      for (int64_t token = 0; token < s_.isl; ++token)
        cells.push_back(sequence * cache_.stream_tokens() + s_.step + token);
    const auto* const bytes = reinterpret_cast<const std::byte*>(cells.data());
    ggml_tensor* const where =
        graph_.constant(GGML_TYPE_I64, {tokens, 1, 1, 1}, {bytes, bytes + cells.size() * sizeof cells[0]});
    for (const auto& [from, to] : {std::pair{k_at, k_cache_}, std::pair{v_at, v_cache_}}) {
      ggml_tensor* const rows =
          graph_.operand(from, GGML_TYPE_F32, {s_.kv_heads * s_.head_dim, tokens, 1, 1});
      graph_.add(ggml_set_rows(graph_.context(), to, rows, where));
    }
  }

  /// The part of a cache that a call sees: [head_dim, positions, kv_heads, sequences].
  ggml_tensor* visible(ggml_tensor* cache, const GgmlMicroBatch& batch) {
    const size_t offset =
        size_t(batch.sequence) * cache_.stream_bytes() + size_t(batch.first_position) * cache_.token_bytes();
    return ggml_view_4d(graph_.context(), cache, s_.head_dim, batch.end_position - batch.first_position,
                        s_.kv_heads, batch.sequences, cache_.token_bytes(), cache_.row_bytes(),
                        cache_.stream_bytes(), offset);
  }

  void attend(const GgmlMicroBatch& batch) {
    ggml_context* const context = graph_.context();
    const size_t first_row = size_t(batch.sequence * s_.isl + batch.token);
    const size_t offset = first_row * size_t(s_.heads * s_.head_dim) * sizeof(float);
    ggml_tensor* const q =
        graph_.operand(q_at, GGML_TYPE_F32, {s_.head_dim, s_.heads, batch.tokens, batch.sequences}, offset);
    ggml_tensor* const mask = graph_.constant(
        GGML_TYPE_F16, {batch.end_position - batch.first_position, batch.tokens, 1, 1}, ggml_mask(s_, batch));
    ggml_tensor* const out =
        ggml_flash_attn_ext(context, ggml_permute(context, q, 0, 2, 1, 3), visible(k_cache_, batch),
                            visible(v_cache_, batch), mask, float(s_.score_scale()), 0, 0);
    graph_.result(out, out_at, offset);
  }

  AttentionShape s_;
  GgmlCacheLayout cache_;
  std::vector<GgmlMicroBatch> batches_;
  GgmlKernel graph_;
  ggml_tensor *k_cache_ = nullptr, *v_cache_ = nullptr;
  std::vector<int32_t> page_table_;
};

std::string why_no_types(const AttentionShape& shape) {
  using enum DType;
  if (shape.dtype != f32 && shape.dtype != f16 && shape.dtype != bf16)
    return fmt::format("ggml {} does not compute attention in {}", ggml_library_version(),
                       name_of(shape.dtype));
  if (shape.kv_dtype != f32 && shape.kv_dtype != f16 && shape.kv_dtype != bf16 && shape.kv_dtype != q8_0)
    return fmt::format("ggml {} has no cache of type {}", ggml_library_version(), name_of(shape.kv_dtype));
  return {};
}

template <class Op>
std::string why_unsupported(const Op& op, const GgmlDevice& device) {
  const AttentionShape shape = op.shape();
  if (std::string reason = why_no_types(shape); !reason.empty()) return reason;
  if (const double bytes = mask_bytes(shape); bytes > kMostMaskBytes)
    return fmt::format("the masks of this many tokens take {:.1f} GiB, at most {:.1f} are kept",
                       bytes / 0x1p30, kMostMaskBytes / 0x1p30);
  if (shape.isl > kGgmlMicroBatch || shape.batch > kGgmlMicroBatch) return {};  // more of the same nodes
  return GgmlAttention(shape, device).why_unsupported();
}

template <class Op>
std::unique_ptr<PreparedKernel> prepare(const Op& op, GgmlDevice& device) {
  auto kernel = std::make_unique<GgmlAttention>(op.shape(), device);
  kernel->finish();
  return kernel;
}

template <class Op>
void add(KernelRegistry& registry) {
  registry.add(
      Kernel<Op, GgmlDevice>{"ggml_set_rows_flash_attn_ext", "ggml", &why_unsupported<Op>, &prepare<Op>});
}

}  // namespace

void add_attention_ggml_kernels(KernelRegistry& registry) {
  add<AttentionContext>(registry);
  add<AttentionGeneration>(registry);
}

}  // namespace perfatlas
