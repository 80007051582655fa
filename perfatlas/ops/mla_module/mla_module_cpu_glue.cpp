// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module_cpu_glue.h"

#include <fmt/format.h>
#include <omp.h>

#include <cstring>

#include "perfatlas/backends/cpu/onednn_primitive.h"

namespace perfatlas {

void add_gemm_cpu_kernels(KernelRegistry& registry);
void add_rms_norm_cpu_kernels(KernelRegistry& registry);
void add_rope_cpu_kernels(KernelRegistry& registry);
void add_kv_cache_write_cpu_kernels(KernelRegistry& registry);
void add_mla_cpu_kernels(KernelRegistry& registry);
void add_mla_bmm_cpu_kernels(KernelRegistry& registry);

namespace {

using dnnl::memory;

size_t element_bytes(const MlaModuleCase& c) { return size_t(bytes_of(c.activation())); }

/// Bytes before the cached row of one position.
size_t cached_byte(const MlaModuleCase& c, const int32_t* page_table, int64_t sequence, int64_t position,
                   size_t row_bytes) {
  const int64_t page = page_table[sequence * c.pages_per_sequence() + position / kPageTokens];
  return size_t(page * kPageTokens + position % kPageTokens) * row_bytes;
}

dnnl::matmul::primitive_desc describe(const HeadProducts& p, const CpuDevice& device) {
  const memory::data_type type = *onednn_type(p.dtype);
  const memory::desc from({p.heads, p.tokens, p.depth}, type, {p.from_stride, p.heads * p.from_stride, 1});
  const memory::desc to({p.heads, p.tokens, p.columns}, type, {p.to_stride, p.heads * p.to_stride, 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return {device.onednn().engine, from,
          memory::desc({p.heads, p.depth, p.columns}, type, memory::format_tag::abc), to, attributes};
}

}  // namespace

ComposedGlue copy_rows(const CopySide& from, const CopySide& to, size_t bytes, int64_t rows, int threads) {
  const auto extent = [&](const CopySide& side) {
    return side.first + size_t(rows - 1) * side.stride + bytes;
  };
  const auto run = [from, to, bytes, rows, threads](Stream, std::span<void* const> places) {
    const char* const source = static_cast<const char*>(places[0]) + from.first;
    char* const target = static_cast<char*>(places[1]) + to.first;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; ++row)
      std::memcpy(target + size_t(row) * to.stride, source + size_t(row) * from.stride, bytes);
  };
  return {{from.buffer, to.buffer}, {extent(from), extent(to)}, run};
}

std::string why_no_head_products(const HeadProducts& products, const CpuDevice& device) {
  try {
    return onednn_fallback_reason(describe(products, device));
  } catch (const dnnl::error& error) {
    return fmt::format("oneDNN {} has no {} product per head for this CPU ({})", onednn_version(),
                       name_of(products.dtype), error.what());
  }
}

ComposedGlue head_products(const HeadProducts& p, ComposedBuffer from, ComposedBuffer weights,
                           ComposedBuffer to, ComposedBuffer scratchpad, const CpuDevice& device) {
  const auto description = describe(p, device);
  const auto primitive = std::make_shared<OnednnPrimitive>(
      description,
      std::vector<OnednnPrimitive::Argument>{{DNNL_ARG_SRC, description.src_desc()},
                                             {DNNL_ARG_WEIGHTS, description.weights_desc()},
                                             {DNNL_ARG_DST, description.dst_desc()}},
      device.onednn());
  const auto bytes = size_t(bytes_of(p.dtype));
  return {
      {from, weights, to, scratchpad},
      {size_t(p.tokens * p.heads * p.from_stride) * bytes, size_t(p.heads * p.depth * p.columns) * bytes,
       size_t(p.tokens * p.heads * p.to_stride) * bytes, primitive->scratchpad_bytes()},
      [primitive](Stream, std::span<void* const> places) { primitive->execute(places.data(), places[3]); }};
}

ComposedGlue cached_then_new_rows(const MlaModuleCase& c, ComposedBuffer cache, ComposedBuffer page_table,
                                  ComposedBuffer fresh, ComposedBuffer to, int64_t width, int threads) {
  const size_t row_bytes = size_t(width) * element_bytes(c);
  const auto run = [c, row_bytes, threads](Stream, std::span<void* const> places) {
    const char* const cached = static_cast<const char*>(places[0]);
    const auto* const pages = static_cast<const int32_t*>(places[1]);
    const char* const latest = static_cast<const char*>(places[2]);
    char* const target = static_cast<char*>(places[3]);
#pragma omp parallel for num_threads(threads) collapse(2) schedule(static)
    for (int64_t sequence = 0; sequence < c.batch; ++sequence)
      for (int64_t at = 0; at < c.context_tokens(); ++at) {
        const char* const row = at < c.step ? cached + cached_byte(c, pages, sequence, at, row_bytes)
                                            : latest + size_t(sequence * c.isl + at - c.step) * row_bytes;
        std::memcpy(target + size_t(sequence * c.context_tokens() + at) * row_bytes, row, row_bytes);
      }
  };
  return {{cache, page_table, fresh, to},
          {size_t(c.pages() * kPageTokens) * row_bytes, size_t(c.pages()) * sizeof(int32_t),
           size_t(c.tokens()) * row_bytes, size_t(c.batch * c.context_tokens()) * row_bytes},
          run};
}

ComposedGlue store_new_rows(const MlaModuleCase& c, ComposedBuffer fresh, ComposedBuffer page_table,
                            ComposedBuffer cache, int64_t width, int threads) {
  const size_t row_bytes = size_t(width) * element_bytes(c);
  const auto run = [c, row_bytes, threads](Stream, std::span<void* const> places) {
    const char* const latest = static_cast<const char*>(places[0]);
    const auto* const pages = static_cast<const int32_t*>(places[1]);
    char* const cached = static_cast<char*>(places[2]);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t token = 0; token < c.tokens(); ++token)
      std::memcpy(cached + cached_byte(c, pages, token / c.isl, c.step + token % c.isl, row_bytes),
                  latest + size_t(token) * row_bytes, row_bytes);
  };
  return {{fresh, page_table, cache},
          {size_t(c.tokens()) * row_bytes, size_t(c.pages()) * sizeof(int32_t),
           size_t(c.pages() * kPageTokens) * row_bytes},
          run};
}

std::string why_no_block_types(const MlaModuleCase& c) {
  const bool plain =
      (c.dtype == DType::f32 && c.gemm == Quant::f32) || (c.dtype == DType::bf16 && c.gemm == Quant::bf16);
  if (!plain)
    return fmt::format(
        "the CPU block hands on float32 between float32 layers or bfloat16 between bfloat16 layers, "
        "not {} attention between {} layers",
        name_of(c.dtype), name_of(c.gemm));
  if (c.kv_dtype != c.dtype)
    return fmt::format("no CPU kernel reads a {} cache for {} attention", name_of(c.kv_dtype),
                       name_of(c.dtype));
  return {};
}

const KernelRegistry& block_step_kernels() {
  static const KernelRegistry kernels = [] {
    KernelRegistry registry;
    add_gemm_cpu_kernels(registry);
    add_rms_norm_cpu_kernels(registry);
    add_rope_cpu_kernels(registry);
    add_kv_cache_write_cpu_kernels(registry);
    add_mla_cpu_kernels(registry);
    add_mla_bmm_cpu_kernels(registry);
    return registry;
  }();
  return kernels;
}

}  // namespace perfatlas
