// SPDX-License-Identifier: Apache-2.0
// Dense latent attention blocks from the CUDA kernels of their ops, one after the other on the stream.
#include <fmt/format.h>

#include <type_traits>

#include "perfatlas/backends/composed_kernel.h"
#include "perfatlas/backends/cuda/block_kernel.cuh"
#include "perfatlas/backends/cuda/cuda_device.h"
#include "perfatlas/ops/attention/attention_shape.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/mla/mla.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {

void add_gemm_cuda_kernels(KernelRegistry& registry);
void add_rms_norm_cuda_kernels(KernelRegistry& registry);
void add_rope_cuda_kernels(KernelRegistry& registry);
void add_mla_cuda_kernels(KernelRegistry& registry);
void add_mla_bmm_cuda_kernels(KernelRegistry& registry);

namespace {

using Element = uint16_t;  // of bf16 and f16, which are moved only

/// Where rows lie: `first` elements in, `stride` elements apart; of targets: `copies` of each, `copy_stride` apart.
struct RowPlaces {
  int64_t first = 0, stride = 0;
  int64_t copies = 1, copy_stride = 0;
};

/// Copies `columns` elements of each of `rows` rows; a block per target.
struct CopyRows {
  int64_t rows = 0, columns = 0;
  RowPlaces from_at, to_at;
  const Element* from = nullptr;
  Element* to = nullptr;

  int64_t blocks() const { return rows * to_at.copies; }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t row = block.index() / to_at.copies, copy = block.index() % to_at.copies;
    const Element* source = from + from_at.first + row * from_at.stride;
    Element* target = to + to_at.first + row * to_at.stride + copy * to_at.copy_stride;
    block.each(columns, [=](int64_t i) { target[i] = source[i]; });
  }
};

/// to[batch * (step + isl), width]: of every sequence the cached rows of the prefix, then the new ones.
struct GatherContext {
  int64_t batch = 0, isl = 0, step = 0, pages = 0, width = 0;
  const Element* cache = nullptr;
  const int32_t* page_table = nullptr;
  const Element* fresh = nullptr;
  Element* to = nullptr;

  int64_t blocks() const { return batch * (step + isl); }
  int64_t shared_floats() const { return 0; }
  PERFATLAS_BOTH void operator()(const Block& block) const {
    const int64_t context = step + isl, sequence = block.index() / context, at = block.index() % context;
    const Element* source = fresh + (sequence * isl + at - step) * width;
    if (at < step) {
      const int64_t page = page_table[sequence * pages + at / kPageTokens];
      source = cache + (page * kPageTokens + at % kPageTokens) * width;
    }
    Element* target = to + block.index() * width;
    block.each(width, [=](int64_t i) { target[i] = source[i]; });
  }
};

/// Collects the parts of one block in execution order.
class Parts {
 public:
  Parts(const MlaModuleCase& c, CudaRuntime* runtime) : c_(c), g_(c.geometry()), runtime_(runtime) {}

  ComposedBuffer scratch() { return ComposedBuffer::scratch(scratch_++); }
  static ComposedBuffer operand(size_t at) { return ComposedBuffer::operand(at); }

  template <class Op>
  void step(const Op& op, std::vector<ComposedBuffer> operands) {
    static const OpType type = make_op_type<Op>();
    parts_.emplace_back(ComposedStep{make_case(type, op), std::move(operands)});
  }
  ComposedBuffer linear(int64_t rows, int64_t n, int64_t k, ComposedBuffer x, ComposedBuffer w) {
    const ComposedBuffer y = scratch();
    step(Gemm{c_.gemm, rows, n, k}, {x, w, y});
    return y;
  }
  ComposedBuffer norm(int64_t width, ComposedBuffer x, ComposedBuffer w) {
    const ComposedBuffer y = scratch();
    step(RmsNorm{c_.activation(), c_.tokens(), width}, {x, w, y});
    return y;
  }
  void copy(ComposedBuffer from, RowPlaces from_at, ComposedBuffer to, RowPlaces to_at, int64_t columns,
            int64_t rows) {
    const auto extent = [&](RowPlaces at) {
      const int64_t last = at.first + (rows - 1) * at.stride + (at.copies - 1) * at.copy_stride;
      return size_t(last + columns) * sizeof(Element);
    };
    const CopyRows body{rows, columns, from_at, to_at};
    parts_.emplace_back(
        ComposedGlue{{from, to},
                     {extent(from_at), extent(to_at)},
                     [body, this_runtime = runtime_](Stream stream, std::span<void* const> places) {
                       CopyRows bound = body;
                       bound.from = static_cast<const Element*>(places[0]);
                       bound.to = static_cast<Element*>(places[1]);
                       this_runtime->run(block_work(bound), stream);
                     }});
  }
  /// `columns` of every token's row of `width` elements from `first` on, dense.
  ComposedBuffer columns(ComposedBuffer x, int64_t width, int64_t first, int64_t columns) {
    const ComposedBuffer y = scratch();
    copy(x, {first, width}, y, {0, columns}, columns, c_.tokens());
    return y;
  }
  ComposedBuffer context(ComposedBuffer fresh) {
    const GatherContext body{c_.batch, c_.isl, c_.step, c_.pages_per_sequence(), g_.latent()};
    const auto bytes = [&](int64_t rows) { return size_t(rows * g_.latent()) * sizeof(Element); };
    const ComposedBuffer to = scratch();
    parts_.emplace_back(
        ComposedGlue{{operand(mla_cache_at), operand(mla_page_table_at), fresh, to},
                     {bytes(c_.pages() * kPageTokens), size_t(c_.pages()) * sizeof(int32_t),
                      bytes(c_.tokens()), bytes(c_.batch * c_.context_tokens())},
                     [body, this_runtime = runtime_](Stream stream, std::span<void* const> places) {
                       GatherContext bound = body;
                       bound.cache = static_cast<const Element*>(places[0]);
                       bound.page_table = static_cast<const int32_t*>(places[1]);
                       bound.fresh = static_cast<const Element*>(places[2]);
                       bound.to = static_cast<Element*>(places[3]);
                       this_runtime->run(block_work(bound), stream);
                     }});
    return to;
  }
  std::vector<ComposedPart> take() { return std::move(parts_); }

 private:
  const MlaModuleCase& c_;
  const MlaGeometry& g_;
  CudaRuntime* runtime_;  // null: the composition is only asked about
  size_t scratch_ = 0;
  std::vector<ComposedPart> parts_;
};

/// What attention starts from, of every new token.
struct Projected {
  ComposedBuffer q;      // [heads, nope + rope], rotated
  ComposedBuffer fresh;  // (latent, rotated key), as the cache holds it
};

Projected project(Parts& parts, const MlaModuleCase& c) {
  const MlaGeometry& g = c.geometry();
  const int64_t width = g.q_lora + g.latent(), tokens = c.tokens();
  const auto operand = [](size_t at) { return ComposedBuffer::operand(at); };
  const ComposedBuffer down =
      parts.linear(tokens, width, g.hidden, operand(mla_x_at), operand(mla_w_down_at));
  const ComposedBuffer q_latent =
      parts.norm(g.q_lora, parts.columns(down, width, 0, g.q_lora), operand(mla_q_norm_at));
  const ComposedBuffer latent =
      parts.norm(g.kv_lora, parts.columns(down, width, g.q_lora, g.kv_lora), operand(mla_kv_norm_at));
  const ComposedBuffer key = parts.columns(down, width, g.q_lora + g.kv_lora, g.rope);
  Projected p;
  p.q = parts.linear(tokens, c.heads * g.head(), g.q_lora, q_latent, operand(mla_w_q_at));
  parts.step(Rope{.dtype = c.activation(),
                  .tokens = tokens,
                  .heads = c.heads,
                  .kv_heads = 1,
                  .head_dim = g.head(),
                  .rotary_dim = g.rope,
                  .rotary_offset = g.nope,
                  .positions = c.isl},
             {p.q, key, operand(mla_cos_sin_at), operand(mla_position_at)});
  p.fresh = parts.scratch();
  parts.copy(latent, {0, g.kv_lora}, p.fresh, {0, g.latent()}, g.kv_lora, tokens);
  parts.copy(key, {0, g.rope}, p.fresh, {g.kv_lora, g.latent()}, g.rope, tokens);
  return p;
}

void attend(Parts& parts, const MlaContextModule& op, const Projected& p) {
  const MlaGeometry& g = op.geometry();
  const int64_t rows = op.batch * op.context_tokens();
  const auto operand = [](size_t at) { return ComposedBuffer::operand(at); };
  const ComposedBuffer all = parts.context(p.fresh), latents = parts.scratch();
  parts.copy(all, {0, g.latent()}, latents, {0, g.kv_lora}, g.kv_lora, rows);
  const ComposedBuffer kv =
      parts.linear(rows, op.heads * (g.nope + g.v), g.kv_lora, latents, operand(mla_w_kv_at));
  const ComposedBuffer k = parts.scratch(), v = parts.scratch(), values = parts.scratch();
  parts.copy(kv, {0, g.nope + g.v}, k, {0, g.head()}, g.nope, rows * op.heads);
  parts.copy(kv, {g.nope, g.nope + g.v}, v, {0, g.v}, g.v, rows * op.heads);
  // All heads share the rotated part.
  parts.copy(all, {g.kv_lora, g.latent()}, k, {g.nope, op.heads * g.head(), op.heads, g.head()}, g.rope,
             rows);
  parts.step(MlaContext{.dtype = op.dtype,
                        .kv_dtype = op.kv_dtype,
                        .heads = op.heads,
                        .batch = op.batch,
                        .isl = op.isl,
                        .step = op.step},
             {p.q, k, v, p.fresh, operand(mla_cache_at), operand(mla_page_table_at), values});
  parts.step(Gemm{op.gemm, op.tokens(), g.hidden, op.heads * g.v},
             {values, operand(mla_w_out_at), operand(mla_context_out_at)});
}

void attend(Parts& parts, const MlaGenerationModule& op, const Projected& p) {
  const MlaGeometry& g = op.geometry();
  const int64_t rows = op.tokens() * op.heads;
  const auto operand = [](size_t at) { return ComposedBuffer::operand(at); };
  const ComposedBuffer nope = parts.scratch(), absorbed = parts.scratch(), q = parts.scratch();
  parts.copy(p.q, {0, g.head()}, nope, {0, g.nope}, g.nope, rows);
  parts.step(MlaBmm{MlaBmmDirection::pre, op.gemm, op.tokens(), op.heads},
             {nope, operand(mla_w_uk_at), absorbed});
  parts.copy(absorbed, {0, g.kv_lora}, q, {0, g.latent()}, g.kv_lora, rows);
  parts.copy(p.q, {g.nope, g.head()}, q, {g.kv_lora, g.latent()}, g.rope, rows);
  const ComposedBuffer latents = parts.scratch(), values = parts.scratch();
  parts.step(
      MlaGeneration{
          .dtype = op.dtype, .kv_dtype = op.kv_dtype, .heads = op.heads, .batch = op.batch, .step = op.step},
      {q, p.fresh, operand(mla_cache_at), operand(mla_page_table_at), latents});
  parts.step(MlaBmm{MlaBmmDirection::post, op.gemm, op.tokens(), op.heads},
             {latents, operand(mla_w_uv_at), values});
  parts.step(Gemm{op.gemm, op.tokens(), g.hidden, op.heads * g.v},
             {values, operand(mla_w_out_at), operand(mla_generation_out_at)});
}

const KernelRegistry& step_kernels() {
  static const KernelRegistry kernels = [] {
    KernelRegistry registry;
    add_gemm_cuda_kernels(registry);
    add_rms_norm_cuda_kernels(registry);
    add_rope_cuda_kernels(registry);
    add_mla_cuda_kernels(registry);
    add_mla_bmm_cuda_kernels(registry);
    return registry;
  }();
  return kernels;
}

template <class Op>
Composition composition_of(const Op& op, CudaRuntime* runtime) {
  Parts parts(op, runtime);
  attend(parts, op, project(parts, op));
  return {parts.take(), &step_kernels(), "cuda"};
}

template <class Op>
std::string why_unsupported(const Op& op, const CudaDevice& device) {
  const bool plain = (op.dtype == DType::bf16 && op.gemm == Quant::bf16) ||
                     (op.dtype == DType::f16 && op.gemm == Quant::f16);
  if (!plain)
    return fmt::format(
        "the CUDA block hands on bfloat16 or float16 between layers of that type, not {} attention "
        "between {} layers",
        name_of(op.dtype), name_of(op.gemm));
  if (op.kv_dtype != op.dtype)
    return fmt::format("the CUDA block keeps its cache in the type of its attention, not in {}",
                       name_of(op.kv_dtype));
  const MlaGeometry& g = op.geometry();
  if (g.kv_lora != kMlaLatent || g.rope != kMlaRope || g.nope != kMlaNope || g.v != kMlaValue)
    return "the attention ops have heads of 128 + 64 and 128 elements and latents of 512 only";
  return why_uncomposable(composition_of(op, nullptr), device);
}

template <class Op>
Kernel<Op, CudaDevice> block_kernel_named(std::string_view name) {
  return {name, "cuda", &why_unsupported<Op>, [](const Op& op, CudaDevice& device) {
            return compose(composition_of(op, &device.runtime()), device);
          }};
}

}  // namespace

void add_mla_module_cuda_kernels(KernelRegistry& registry) {
  registry.add(block_kernel_named<MlaContextModule>("composed_expanded_block"));
  registry.add(block_kernel_named<MlaGenerationModule>("composed_absorbed_block"));
}

}  // namespace perfatlas
