// SPDX-License-Identifier: Apache-2.0
// Dense latent attention blocks from the kernels of their ops.
#include "perfatlas/ops/mla/mla.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/mla_module/mla_module_cpu_parts.h"

namespace perfatlas {
namespace {

ComposedBuffer operand(size_t at) { return ComposedBuffer::operand(at); }

/// (latent, key) [kv_lora + rope] of every new token, as the cache holds it.
ComposedBuffer cached_rows(BlockParts& parts, const ProjectedBlock& p) {
  const MlaGeometry& g = parts.block().geometry();
  const ComposedBuffer rows = parts.scratch();
  parts.place(p.latent, g.kv_lora, rows, g.latent(), 0);
  parts.place(p.key, g.rope, rows, g.latent(), g.kv_lora);
  return rows;
}

struct ExpandedKeys {
  ComposedBuffer k;  // [batch * context_tokens, heads, nope + rope]
  ComposedBuffer v;  // [batch * context_tokens, heads, v]
};

/// Keys and values of every token of the context, cached ones included.
ExpandedKeys expand_keys(BlockParts& parts, ComposedBuffer fresh) {
  const MlaModuleCase& c = parts.block();
  const MlaGeometry& g = c.geometry();
  const int64_t tokens = c.batch * c.context_tokens(), threads = parts.device().threads();
  const auto bytes = [&](int64_t elements) { return size_t(double(elements) * bytes_of(c.activation())); };
  const auto copy = [&](CopySide from, CopySide to, int64_t elements, int64_t rows) {
    parts.glue([&] { return copy_rows(from, to, bytes(elements), rows, int(threads)); });
  };
  const ComposedBuffer all = parts.scratch(), latents = parts.scratch();
  parts.glue([&] {
    return cached_then_new_rows(c, operand(mla_cache_at), operand(mla_page_table_at), fresh, all, g.latent(),
                                int(threads));
  });
  copy({all, 0, bytes(g.latent())}, {latents, 0, bytes(g.kv_lora)}, g.kv_lora, tokens);
  const ComposedBuffer kv =
      parts.linear(tokens, c.heads * (g.nope + g.v), g.kv_lora, latents, operand(mla_w_kv_at));
  const ExpandedKeys expanded{parts.scratch(), parts.scratch()};
  copy({kv, 0, bytes(g.nope + g.v)}, {expanded.k, 0, bytes(g.head())}, g.nope, tokens * c.heads);
  copy({kv, bytes(g.nope), bytes(g.nope + g.v)}, {expanded.v, 0, bytes(g.v)}, g.v, tokens * c.heads);
  for (int64_t head = 0; head < c.heads; ++head)  // all heads share the rotated part
    copy({all, bytes(g.kv_lora), bytes(g.latent())},
         {expanded.k, bytes(head * g.head() + g.nope), bytes(c.heads * g.head())}, g.rope, tokens);
  return expanded;
}

Composition compose_block(const MlaContextModule& op, const CpuDevice& device, BlockParts::Purpose purpose) {
  BlockParts parts(op, device, purpose);
  const ProjectedBlock p = project_block(parts, 0);
  const ComposedBuffer fresh = cached_rows(parts, p);
  const ExpandedKeys keys = expand_keys(parts, fresh);
  const ComposedBuffer values = parts.scratch();
  parts.step(MlaContext{.dtype = op.dtype,
                        .kv_dtype = op.kv_dtype,
                        .heads = op.heads,
                        .batch = op.batch,
                        .isl = op.isl,
                        .step = op.step},
             {p.q, keys.k, keys.v, fresh, operand(mla_cache_at), operand(mla_page_table_at), values});
  project_out(parts, values, operand(mla_context_out_at));
  return {parts.take(), &block_step_kernels(), "onednn"};
}

Composition compose_block(const MlaGenerationModule& op, const CpuDevice& device,
                          BlockParts::Purpose purpose) {
  BlockParts parts(op, device, purpose);
  const ProjectedBlock p = project_block(parts, 0);
  const ComposedBuffer fresh = cached_rows(parts, p);
  const ComposedBuffer q = absorb_queries(parts, p.q, operand(mla_w_uk_at)), latents = parts.scratch();
  parts.step(
      MlaGeneration{
          .dtype = op.dtype, .kv_dtype = op.kv_dtype, .heads = op.heads, .batch = op.batch, .step = op.step},
      {q, fresh, operand(mla_cache_at), operand(mla_page_table_at), latents});
  expand_and_project(parts, latents, operand(mla_w_uv_at), operand(mla_generation_out_at));
  return {parts.take(), &block_step_kernels(), "onednn"};
}

/// The attention ops know one geometry only.
std::string why_no_geometry(const MlaGeometry& g) {
  const bool known = g.kv_lora == kMlaLatent && g.rope == kMlaRope && g.nope == kMlaNope && g.v == kMlaValue;
  return known ? "" : "the attention ops have heads of 128 + 64 and 128 elements and latents of 512 only";
}

template <class Op>
std::string why_unsupported(const Op& op, const CpuDevice& device) {
  for (std::string reason : {why_no_block_types(op), why_no_geometry(op.geometry())})
    if (!reason.empty()) return reason;
  if constexpr (std::is_same_v<Op, MlaGenerationModule>)
    if (std::string reason = why_no_absorption(op, device); !reason.empty()) return reason;
  return why_uncomposable(compose_block(op, device, BlockParts::Purpose::ask), device);
}

template <class Op>
std::unique_ptr<PreparedKernel> prepare(const Op& op, CpuDevice& device) {
  return compose(compose_block(op, device, BlockParts::Purpose::make), device);
}

}  // namespace

void add_mla_module_cpu_kernels(KernelRegistry& registry) {
  registry.add(Kernel<MlaContextModule, CpuDevice>{
      "composed_expanded_block", "onednn", &why_unsupported<MlaContextModule>, &prepare<MlaContextModule>});
  registry.add(Kernel<MlaGenerationModule, CpuDevice>{"composed_absorbed_block", "onednn",
                                                      &why_unsupported<MlaGenerationModule>,
                                                      &prepare<MlaGenerationModule>});
}

}  // namespace perfatlas
