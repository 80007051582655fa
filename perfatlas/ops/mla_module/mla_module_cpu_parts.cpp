// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module_cpu_parts.h"

#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/mla_bmm/mla_bmm.h"
#include "perfatlas/ops/mla_module/mla_module.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/ops/rope/rope.h"

namespace perfatlas {
namespace {

size_t bytes(const MlaModuleCase& c, int64_t elements) {
  return size_t(double(elements) * bytes_of(c.activation()));
}

/// Heads of the sizes that the mla_bmm op has.
bool is_mla_bmm(const MlaGeometry& g) {
  return g.nope == kMlaNope && g.kv_lora == kMlaLatent && g.v == kMlaValue;
}

HeadProducts absorbing(const MlaModuleCase& c) {
  const MlaGeometry& g = c.geometry();
  return {.heads = c.heads,
          .tokens = c.tokens(),
          .depth = g.nope,
          .columns = g.kv_lora,
          .from_stride = g.head(),
          .to_stride = g.latent(),
          .dtype = c.activation()};
}

HeadProducts expanding(const MlaModuleCase& c) {
  const MlaGeometry& g = c.geometry();
  return {.heads = c.heads,
          .tokens = c.tokens(),
          .depth = g.kv_lora,
          .columns = g.v,
          .from_stride = g.kv_lora,
          .to_stride = g.v,
          .dtype = c.activation()};
}

}  // namespace

ComposedBuffer BlockParts::linear(int64_t tokens, int64_t n, int64_t k, ComposedBuffer x, ComposedBuffer w) {
  const ComposedBuffer y = scratch();
  step(Gemm{c_.gemm, tokens, n, k}, {x, w, y});
  return y;
}

ComposedBuffer BlockParts::norm(int64_t width, ComposedBuffer x, ComposedBuffer w) {
  const ComposedBuffer y = scratch();
  step(RmsNorm{c_.activation(), c_.tokens(), width}, {x, w, y});
  return y;
}

ComposedBuffer BlockParts::columns(ComposedBuffer x, int64_t width, int64_t first, int64_t columns) {
  const ComposedBuffer y = scratch();
  glue([&] {
    return copy_rows({x, bytes(c_, first), bytes(c_, width)}, {y, 0, bytes(c_, columns)}, bytes(c_, columns),
                     c_.tokens(), device_.threads());
  });
  return y;
}

void BlockParts::place(ComposedBuffer from, int64_t columns, ComposedBuffer to, int64_t width,
                       int64_t first) {
  glue([&] {
    return copy_rows({from, 0, bytes(c_, columns)}, {to, bytes(c_, first), bytes(c_, width)},
                     bytes(c_, columns), c_.tokens(), device_.threads());
  });
}

ProjectedBlock project_block(BlockParts& parts, int64_t extra) {
  const MlaModuleCase& c = parts.block();
  const MlaGeometry& g = c.geometry();
  const auto operand = [](size_t at) { return ComposedBuffer::operand(at); };
  const int64_t width = g.q_lora + g.latent() + extra;
  ProjectedBlock p;
  p.down = parts.linear(c.tokens(), width, g.hidden, operand(mla_x_at), operand(mla_w_down_at));
  p.q_latent = parts.norm(g.q_lora, parts.columns(p.down, width, 0, g.q_lora), operand(mla_q_norm_at));
  p.latent =
      parts.norm(g.kv_lora, parts.columns(p.down, width, g.q_lora, g.kv_lora), operand(mla_kv_norm_at));
  p.key = parts.columns(p.down, width, g.q_lora + g.kv_lora, g.rope);
  p.q = parts.linear(c.tokens(), c.heads * g.head(), g.q_lora, p.q_latent, operand(mla_w_q_at));
  parts.step(Rope{.dtype = c.activation(),
                  .tokens = c.tokens(),
                  .heads = c.heads,
                  .kv_heads = 1,
                  .head_dim = g.head(),
                  .rotary_dim = g.rope,
                  .rotary_offset = g.nope,
                  .positions = c.isl},
             {p.q, p.key, operand(mla_cos_sin_at), operand(mla_position_at)});
  return p;
}

ComposedBuffer absorb_queries(BlockParts& parts, ComposedBuffer q, ComposedBuffer w_uk) {
  const MlaModuleCase& c = parts.block();
  const MlaGeometry& g = c.geometry();
  const int64_t rows = c.tokens() * c.heads, threads = parts.device().threads();
  const ComposedBuffer absorbed = parts.scratch();
  const auto copy = [&](CopySide from, CopySide to, int64_t elements) {
    parts.glue([&] { return copy_rows(from, to, bytes(c, elements), rows, int(threads)); });
  };
  if (is_mla_bmm(g)) {
    const ComposedBuffer nope = parts.scratch(), latents = parts.scratch();
    copy({q, 0, bytes(c, g.head())}, {nope, 0, bytes(c, g.nope)}, g.nope);
    parts.step(MlaBmm{MlaBmmDirection::pre, c.gemm, c.tokens(), c.heads}, {nope, w_uk, latents});
    copy({latents, 0, bytes(c, g.kv_lora)}, {absorbed, 0, bytes(c, g.latent())}, g.kv_lora);
  } else {
    const ComposedBuffer scratchpad = parts.scratch();
    parts.glue([&] { return head_products(absorbing(c), q, w_uk, absorbed, scratchpad, parts.device()); });
  }
  copy({q, bytes(c, g.nope), bytes(c, g.head())}, {absorbed, bytes(c, g.kv_lora), bytes(c, g.latent())},
       g.rope);
  return absorbed;
}

void expand_and_project(BlockParts& parts, ComposedBuffer latents, ComposedBuffer w_uv, ComposedBuffer out) {
  const MlaModuleCase& c = parts.block();
  const ComposedBuffer values = parts.scratch();
  if (is_mla_bmm(c.geometry())) {
    parts.step(MlaBmm{MlaBmmDirection::post, c.gemm, c.tokens(), c.heads}, {latents, w_uv, values});
  } else {
    const ComposedBuffer scratchpad = parts.scratch();
    parts.glue(
        [&] { return head_products(expanding(c), latents, w_uv, values, scratchpad, parts.device()); });
  }
  project_out(parts, values, out);
}

void project_out(BlockParts& parts, ComposedBuffer values, ComposedBuffer out) {
  const MlaModuleCase& c = parts.block();
  const MlaGeometry& g = c.geometry();
  parts.step(Gemm{c.gemm, c.tokens(), g.hidden, c.heads * g.v},
             {values, ComposedBuffer::operand(mla_w_out_at), out});
}

std::string why_no_absorption(const MlaModuleCase& c, const CpuDevice& device) {
  if (is_mla_bmm(c.geometry())) return {};  // a step of the composition
  std::string reason = why_no_head_products(absorbing(c), device);
  return reason.empty() ? why_no_head_products(expanding(c), device) : reason;
}

}  // namespace perfatlas
