// SPDX-License-Identifier: Apache-2.0
// cuDNN's scaled dot-product attention over a paged cache or over rows, as a graph of its frontend. Included by its
// unit alone: it defines the handle through which the frontend reaches the opened library.
#pragma once

#define NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING
#pragma nv_diagnostic push
#pragma nv_diag_suppress 128, 2810  // an unreachable loop, an ignored result
#include <cudnn_frontend.h>
#pragma nv_diagnostic pop
#include <dlfcn.h>
#include <fmt/format.h>

#include <vector>

#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/attention/attention_cuda_cudnn_unit.h"

namespace cudnn_frontend {
void* cudnn_dlhandle = nullptr;
}

namespace perfatlas {

class CudnnAttention final : public PagedAttention {
  using Tensor = std::shared_ptr<cudnn_frontend::graph::Tensor_attributes>;
  using Numbers = std::vector<int64_t>;

 public:
  CudnnAttention(const AttentionShape& shape, KeysLie keys, CudaDevice& device)
      : handle_(open_handle(device)), paged_(keys == KeysLie::in_pages) {
    if (paged_) {
      query_tokens_ = lengths(shape, shape.isl, device);
      key_tokens_ = lengths(shape, shape.context_tokens(), device);
    }
    const auto type =
        shape.dtype == DType::f16 ? cudnn_frontend::DataType_t::HALF : cudnn_frontend::DataType_t::BFLOAT16;
    graph_.set_io_data_type(type)
        .set_intermediate_data_type(cudnn_frontend::DataType_t::FLOAT)
        .set_compute_data_type(cudnn_frontend::DataType_t::FLOAT);
    describe(shape);
    check(graph_.build(handle_.get(), {cudnn_frontend::HeurMode_t::A}), "build");
    int64_t bytes = 0;
    check(graph_.get_workspace_size(bytes), "get_workspace_size");
    workspace_bytes_ = size_t(bytes);
  }

  size_t workspace_bytes() const override { return workspace_bytes_; }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    if (cudnn_frontend::detail::set_stream(handle_.get(), static_cast<cudaStream_t>(stream)) !=
        CUDNN_STATUS_SUCCESS)
      throw Error("cuDNN does not take the stream");
    std::unordered_map<Tensor, void*> places{
        {q_, buffers.q}, {k_, buffers.k_cache}, {v_, buffers.v_cache}, {out_, buffers.out}};
    if (paged_) {
      places[k_table_] = places[v_table_] = buffers.page_table;
      places[query_length_] = query_tokens_.get();
      places[key_length_] = key_tokens_.get();
    }
    check(graph_.execute(handle_.get(), places, buffers.workspace), "execute");
  }

 private:
  struct Destroy {
    void operator()(cudnnHandle_t handle) const { cudnn_frontend::detail::destroy_handle(handle); }
  };
  using Handle = std::unique_ptr<cudnnContext, Destroy>;

  static Handle open_handle(const CudaDevice& device) {
    // The library is open already; this is another reference to it.
    if (cudnn_frontend::cudnn_dlhandle == nullptr)
      cudnn_frontend::cudnn_dlhandle = ::dlopen(device.cudnn().path().c_str(), RTLD_NOW);
    cudnnHandle_t handle = nullptr;
    if (cudnn_frontend::cudnn_dlhandle == nullptr ||
        cudnn_frontend::detail::create_handle(&handle) != CUDNN_STATUS_SUCCESS)
      throw Error("cuDNN gives no handle on this device");
    return Handle(handle);
  }

  static std::shared_ptr<void> lengths(const AttentionShape& shape, int64_t tokens, CudaDevice& device) {
    const std::vector<int32_t> all(size_t(shape.batch), int32_t(tokens));
    std::shared_ptr<void> memory = device.allocate(all.size() * sizeof(int32_t));
    device.copy_in(memory.get(), all.data(), all.size() * sizeof(int32_t));
    return memory;
  }

  static void check(cudnn_frontend::error_t error, const char* call) {
    if (error.is_bad()) throw Error(fmt::format("cuDNN's attention: {}: {}", call, error.get_message()));
  }

  Tensor tensor(const char* name, const Numbers& sizes, const Numbers& strides) {
    return graph_.tensor(
        cudnn_frontend::graph::Tensor_attributes().set_name(name).set_dim(sizes).set_stride(strides));
  }
  Tensor integers(const char* name, const Numbers& sizes, const Numbers& strides) {
    return graph_.tensor(cudnn_frontend::graph::Tensor_attributes()
                             .set_name(name)
                             .set_dim(sizes)
                             .set_stride(strides)
                             .set_data_type(cudnn_frontend::DataType_t::INT32));
  }

  /// cuDNN counts every tensor as [batch, heads, tokens, elements]; strides say how it really lies. A cache is
  /// [pages, heads, tokens of a page, elements], a page table [batch, 1, pages of a sequence, 1].
  void describe(const AttentionShape& s) {
    const Numbers rows{s.isl * s.heads * s.head_dim, s.head_dim, s.heads * s.head_dim, 1};
    q_ = tensor("q", {s.batch, s.heads, s.isl, s.head_dim}, rows);
    auto options = cudnn_frontend::graph::SDPA_attributes()
                       .set_name("attention")
                       .set_generate_stats(false)
                       .set_attn_scale(float(s.score_scale()));
    if (paged_)
      describe_pages(s, options);
    else
      describe_rows(s);
    // The last query sees the last key. A single one sees all: without the mask, which cuDNN 9.9 refuses for one query.
    if (s.causal && (s.isl > 1 || s.window > 0))
      options.set_diagonal_alignment(cudnn_frontend::DiagonalAlignment_t::BOTTOM_RIGHT)
          .set_diagonal_band_right_bound(0);
    if (s.window > 0) options.set_diagonal_band_left_bound(int(s.window));  // counts the query's own position
    out_ = graph_.sdpa(q_, k_, v_, options)[0];
    out_->set_output(true).set_dim({s.batch, s.heads, s.isl, s.head_dim}).set_stride(rows);
  }

  void describe_pages(const AttentionShape& s, cudnn_frontend::graph::SDPA_attributes& options) {
    const Numbers page{s.kv_heads * kPageTokens * s.head_dim, kPageTokens * s.head_dim, s.head_dim, 1};
    const int64_t pages = s.pages_per_sequence();
    k_ = tensor("k", {s.batch * pages, s.kv_heads, kPageTokens, s.head_dim}, page);
    v_ = tensor("v", {s.batch * pages, s.kv_heads, kPageTokens, s.head_dim}, page);
    k_table_ = integers("k_table", {s.batch, 1, pages, 1}, {pages, pages, 1, 1});
    v_table_ = integers("v_table", {s.batch, 1, pages, 1}, {pages, pages, 1, 1});
    query_length_ = integers("query_length", {s.batch, 1, 1, 1}, {1, 1, 1, 1});
    key_length_ = integers("key_length", {s.batch, 1, 1, 1}, {1, 1, 1, 1});
    options.set_padding_mask(true)
        .set_seq_len_q(query_length_)
        .set_seq_len_kv(key_length_)
        .set_paged_attention_k_table(k_table_)
        .set_paged_attention_v_table(v_table_)
        .set_paged_attention_max_seq_len_kv(int(s.context_tokens()));
  }
  void describe_rows(const AttentionShape& s) {
    const Numbers sizes{s.batch, s.kv_heads, s.context_tokens(), s.head_dim};
    const Numbers rows{s.context_tokens() * s.kv_heads * s.head_dim, s.head_dim, s.kv_heads * s.head_dim, 1};
    k_ = tensor("k", sizes, rows);
    v_ = tensor("v", sizes, rows);
  }

  Handle handle_;
  bool paged_;
  cudnn_frontend::graph::Graph graph_;
  std::shared_ptr<void> query_tokens_, key_tokens_;
  Tensor q_, k_, v_, k_table_, v_table_, query_length_, key_length_, out_;
  size_t workspace_bytes_ = 0;
};

inline std::unique_ptr<PagedAttention> make_cudnn_attention(const AttentionShape& shape, KeysLie keys,
                                                            Device& device) {
  return std::make_unique<CudnnAttention>(shape, keys, static_cast<CudaDevice&>(device));
}

}  // namespace perfatlas
