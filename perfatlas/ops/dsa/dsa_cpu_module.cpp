// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_cpu_module.h"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

void add_dsa_cpu_kernels(KernelRegistry& registry);

namespace {

ComposedBuffer operand(size_t at, size_t byte_offset = 0) { return ComposedBuffer::operand(at, byte_offset); }

const KernelRegistry& dsa_step_kernels() {
  static const KernelRegistry kernels = [] {
    KernelRegistry registry = block_step_kernels();
    add_dsa_cpu_kernels(registry);
    return registry;
  }();
  return kernels;
}

/// row = (row - mean) / sqrt(variance + 1e-6) * scale + shift, in place.
template <class T>
void layer_norm_rows(T* rows, int64_t count, int64_t width, const T* scale, const T* shift, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    T* const row = rows + i * width;
    float sum = 0, squares = 0;
    for (int64_t d = 0; d < width; ++d) sum += to_float(row[d]);
    const float mean = sum / float(width);
    for (int64_t d = 0; d < width; ++d) squares += (to_float(row[d]) - mean) * (to_float(row[d]) - mean);
    const float factor = 1 / std::sqrt(squares / float(width) + 1e-6F);
    for (int64_t d = 0; d < width; ++d)
      row[d] = from_float<T>((to_float(row[d]) - mean) * factor * to_float(scale[d]) + to_float(shift[d]));
  }
}

template <class T>
void widen(const T* from, int64_t count, float* to, int threads) {
#pragma omp parallel for simd num_threads(threads) schedule(static)
  for (int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

void select_everything(const DsaShape& s, int32_t* selected, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t token = 0; token < s.tokens(); ++token)
    for (int64_t j = 0; j < s.geometry.topk; ++j)
      selected[token * s.geometry.topk + j] = j < s.visible(token % s.isl) ? int32_t(j) : -1;
}

class DsaBlock {
 public:
  DsaBlock(const MlaModuleCase& c, DsaIndexer indexer, const CpuDevice& device, BlockParts::Purpose purpose,
           int64_t piece_scores)
      : c_(c),
        s_(dsa_shape_of(c)),
        indexer_(indexer),
        piece_scores_(piece_scores),
        threads_(device.threads()),
        parts_(c, device, purpose) {}

  Composition composition() {
    const MlaGeometry& g = s_.geometry;
    const ProjectedBlock p = project_block(parts_, indexer_ == DsaIndexer::own ? g.index_dim : 0);
    parts_.step(KvCacheWrite{.batch = c_.batch,
                             .isl = c_.isl,
                             .kv_heads = 1,
                             .head_dim = g.latent(),
                             .rope_dim = g.rope,
                             .dtype = c_.activation(),
                             .kv_dtype = c_.kv_dtype,
                             .step = c_.step},
                {p.latent, p.key, operand(mla_cache_at), operand(mla_page_table_at)});
    if (indexer_ == DsaIndexer::own) add_indexer(p);
    const ComposedBuffer q = absorb_queries(parts_, p.q, operand(dsa_w_uk_at)), latents = parts_.scratch();
    parts_.step(DsaAttention{kernel_case()}, {q, operand(mla_cache_at), operand(mla_page_table_at),
                                              operand(dsa_module_selected_at), latents});
    expand_and_project(parts_, latents, operand(dsa_w_uv_at), operand(dsa_module_out_at));
    return {parts_.take(), &dsa_step_kernels(), "onednn"};
  }

 private:
  DsaKernelCase kernel_case() const {
    DsaKernelCase kernel{.dtype = c_.dtype, .kv_dtype = c_.kv_dtype};
    kernel.architecture = c_.architecture;
    kernel.heads = c_.heads, kernel.batch = c_.batch, kernel.isl = c_.isl, kernel.step = c_.step;
    return kernel;
  }

  void add_indexer(const ProjectedBlock& p) {
    const MlaGeometry& g = s_.geometry;
    const int64_t rows = s_.tokens(), width = g.q_lora + g.latent() + g.index_dim;
    const ComposedBuffer key = parts_.columns(p.down, width, g.q_lora + g.latent(), g.index_dim);
    const ComposedBuffer q =
        parts_.linear(rows, g.index_heads * g.index_dim, g.q_lora, p.q_latent, operand(dsa_w_index_q_at));
    const ComposedBuffer head_weights =
        parts_.linear(rows, g.index_heads, g.hidden, operand(mla_x_at), operand(dsa_w_index_head_at));
    const ComposedBuffer weights = parts_.scratch();
    if (c_.activation() == DType::f32)
      prepare_keys<float>(key, head_weights, weights);
    else
      prepare_keys<Bf16>(key, head_weights, weights);
    parts_.step(Rope{.dtype = c_.activation(),
                     .tokens = rows,
                     .heads = g.index_heads,
                     .kv_heads = 1,
                     .head_dim = g.index_dim,
                     .rotary_dim = g.rope,
                     .positions = c_.isl},
                {q, key, operand(mla_cos_sin_at), operand(mla_position_at)});
    parts_.glue([&] {
      return store_new_rows(c_, key, operand(mla_page_table_at), operand(dsa_index_cache_at), g.index_dim,
                            threads_);
    });
    if (s_.selects())
      add_selection(q, weights);
    else
      parts_.glue([&] {
        return ComposedGlue{{operand(dsa_module_selected_at)},
                            {size_t(rows * g.topk) * sizeof(int32_t)},
                            [s = s_, threads = threads_](Stream, std::span<void* const> places) {
                              select_everything(s, static_cast<int32_t*>(places[0]), threads);
                            }};
      });
  }

  /// Norms the index keys in place and widens the weights of the index heads to float.
  template <class T>
  void prepare_keys(ComposedBuffer key, ComposedBuffer head_weights, ComposedBuffer weights) {
    const MlaGeometry& g = s_.geometry;
    const int64_t rows = s_.tokens(), width = g.index_dim, heads = rows * g.index_heads;
    const auto run = [=, threads = threads_](Stream, std::span<void* const> places) {
      layer_norm_rows(static_cast<T*>(places[0]), rows, width, static_cast<const T*>(places[1]),
                      static_cast<const T*>(places[2]), threads);
      widen(static_cast<const T*>(places[3]), heads, static_cast<float*>(places[4]), threads);
    };
    parts_.glue([&] {
      return ComposedGlue{
          {key, operand(dsa_index_scale_at), operand(dsa_index_shift_at), head_weights, weights},
          {size_t(rows * width) * sizeof(T), size_t(width) * sizeof(T), size_t(width) * sizeof(T),
           size_t(heads) * sizeof(T), size_t(heads) * sizeof(float)},
          run};
    });
  }

  /// Scores and selects: the whole step when its scores fit, else a run of tokens of one sequence after the other.
  void add_selection(ComposedBuffer q, ComposedBuffer weights) {
    const ComposedBuffer scores = parts_.scratch();
    if (s_.tokens() * s_.context_tokens() <= piece_scores_) {
      add_piece(q, weights, scores, {0, 0, s_.isl, s_.batch});
      return;
    }
    const int64_t most = std::clamp<int64_t>(piece_scores_ / s_.context_tokens(), 1, s_.isl);
    for (int64_t sequence = 0; sequence < s_.batch; ++sequence)
      for (int64_t first = 0; first < s_.isl; first += most)
        add_piece(q, weights, scores, {sequence, first, std::min(most, s_.isl - first), 1});
  }

  struct Piece {
    int64_t sequence, first_token, tokens, batch;
  };
  void add_piece(ComposedBuffer q, ComposedBuffer weights, ComposedBuffer scores, const Piece& piece) {
    const MlaGeometry& g = s_.geometry;
    DsaKernelCase kernel = kernel_case();
    kernel.batch = piece.batch, kernel.isl = piece.tokens, kernel.step = s_.step + piece.first_token;
    const int64_t token = piece.sequence * s_.isl + piece.first_token;
    const auto skip = [&](ComposedBuffer buffer, int64_t elements, double element_bytes) {
      buffer.byte_offset += size_t(double(token * elements) * element_bytes);
      return buffer;
    };
    const size_t pages = size_t(piece.sequence * s_.pages_per_sequence()) * sizeof(int32_t);
    parts_.step(DsaMqaLogits{kernel},
                {skip(q, g.index_heads * g.index_dim, bytes_of(c_.activation())),
                 skip(weights, g.index_heads, sizeof(float)), operand(dsa_index_cache_at),
                 operand(mla_page_table_at, pages), scores});
    parts_.step(DsaTopk{kernel}, {scores, skip(operand(dsa_module_selected_at), g.topk, sizeof(int32_t))});
  }

  const MlaModuleCase& c_;
  DsaShape s_;
  DsaIndexer indexer_;
  int64_t piece_scores_;
  int threads_;
  BlockParts parts_;
};

}  // namespace

std::string why_no_dsa_block(const MlaModuleCase& c, DsaIndexer indexer, const CpuDevice& device) {
  for (std::string reason : {why_no_block_types(c)})
    if (!reason.empty()) return reason;
  if (std::string reason = why_no_absorption(c, device); !reason.empty()) return reason;
  DsaBlock block(c, indexer, device, BlockParts::Purpose::ask, kPieceScores);
  return why_uncomposable(block.composition(), device);
}

std::unique_ptr<PreparedKernel> make_dsa_block(const MlaModuleCase& c, DsaIndexer indexer, CpuDevice& device,
                                               int64_t piece_scores) {
  return compose(DsaBlock(c, indexer, device, BlockParts::Purpose::make, piece_scores).composition(), device);
}

}  // namespace perfatlas
