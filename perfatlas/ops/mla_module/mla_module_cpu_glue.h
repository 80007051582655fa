// SPDX-License-Identifier: Apache-2.0
// What stands between the ops of a latent attention block on a CPU: moving columns, products per head, cached rows.
#pragma once

#include "perfatlas/backends/composed_kernel.h"
#include "perfatlas/backends/cpu/cpu_device.h"
#include "perfatlas/ops/mla_module/mla_module_case.h"

namespace perfatlas {

/// The OpType of an op that is a step of a composition.
template <class Op>
const OpType& step_type() {
  static const OpType type = make_op_type<Op>();
  return type;
}
template <class Op>
ComposedStep step_of(const Op& op, std::vector<ComposedBuffer> operands) {
  return {make_case(step_type<Op>(), op), std::move(operands)};
}

/// One side of a copy: rows `stride` bytes apart, groups of `group` rows `group_stride` bytes apart (0: one row again).
struct CopySide {
  ComposedBuffer buffer;
  size_t first = 0;  // bytes before the first row
  size_t stride = 0;
};

/// Copies `bytes` bytes of each of `rows` rows.
ComposedGlue copy_rows(const CopySide& from, const CopySide& to, size_t bytes, int64_t rows, int threads);

/// to[token, head, :] = from[token, head, 0:depth] times weights[head, depth, columns], on oneDNN: the mla_bmm op for
/// heads of other sizes than it has.
struct HeadProducts {
  int64_t heads = 1, tokens = 1;
  int64_t depth = 1, columns = 1;
  int64_t from_stride = 1, to_stride = 1;  // elements per head of either side
  DType dtype = DType::bf16;
};
/// Why oneDNN does not do it on this CPU, or empty.
std::string why_no_head_products(const HeadProducts& products, const CpuDevice& device);
/// `scratchpad`: a scratch buffer of its own.
ComposedGlue head_products(const HeadProducts& products, ComposedBuffer from, ComposedBuffer weights,
                           ComposedBuffer to, ComposedBuffer scratchpad, const CpuDevice& device);

/// to[batch * context_tokens, width] elements of `element_bytes`: of every sequence the cached rows of the prefix, then
/// the new ones of fresh[tokens, width].
ComposedGlue cached_then_new_rows(const MlaModuleCase& c, ComposedBuffer cache, ComposedBuffer page_table,
                                  ComposedBuffer fresh, ComposedBuffer to, int64_t width, int threads);

/// Writes fresh[tokens, width] to the cache positions of the new tokens.
ComposedGlue store_new_rows(const MlaModuleCase& c, ComposedBuffer fresh, ComposedBuffer page_table,
                            ComposedBuffer cache, int64_t width, int threads);

/// Why blocks of these types cannot be put together from the CPU kernels, or empty: everything must be float32 or
/// everything bfloat16.
std::string why_no_block_types(const MlaModuleCase& c);

/// Kernels of the linear layers, norms, RoPE and cache writes.
const KernelRegistry& block_step_kernels();

}  // namespace perfatlas
