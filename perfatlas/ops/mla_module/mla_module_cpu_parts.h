// SPDX-License-Identifier: Apache-2.0
// The composition of a latent attention block on a CPU, as far as dense and sparse blocks agree.
#pragma once

#include "perfatlas/ops/mla_module/mla_module_cpu_glue.h"

namespace perfatlas {

/// Collects the parts of one block in execution order.
class BlockParts {
 public:
  enum class Purpose {
    ask,  // whether every step has a kernel: glue is left out, because making it costs
    make,
  };
  /// `c` and `device` outlive the object.
  BlockParts(const MlaModuleCase& c, const CpuDevice& device, Purpose purpose)
      : c_(c), device_(device), making_(purpose == Purpose::make) {}

  const MlaModuleCase& block() const { return c_; }
  const CpuDevice& device() const { return device_; }
  ComposedBuffer scratch() { return ComposedBuffer::scratch(scratch_++); }

  template <class Op>
  void step(const Op& op, std::vector<ComposedBuffer> operands) {
    parts_.emplace_back(step_of(op, std::move(operands)));
  }
  /// `make` returns the ComposedGlue.
  template <class Make>
  void glue(const Make& make) {
    if (making_) parts_.emplace_back(make());
  }
  /// y[tokens, n] = x[tokens, k] w^T into a new buffer.
  ComposedBuffer linear(int64_t tokens, int64_t n, int64_t k, ComposedBuffer x, ComposedBuffer w);
  ComposedBuffer norm(int64_t width, ComposedBuffer x, ComposedBuffer w);
  /// `columns` of every token's row of `width` elements from `first` on, dense, in a new buffer.
  ComposedBuffer columns(ComposedBuffer x, int64_t width, int64_t first, int64_t columns);
  /// Puts rows of `columns` elements at `first` in rows of `width` elements.
  void place(ComposedBuffer from, int64_t columns, ComposedBuffer to, int64_t width, int64_t first);

  std::vector<ComposedPart> take() { return std::move(parts_); }

 private:
  const MlaModuleCase& c_;
  const CpuDevice& device_;
  bool making_;
  size_t scratch_ = 0;
  std::vector<ComposedPart> parts_;
};

/// What attention starts from; buffers of one row per new token.
struct ProjectedBlock {
  ComposedBuffer down;      // x w_down^T
  ComposedBuffer q_latent;  // normed
  ComposedBuffer q;         // [heads, nope + rope], rotated
  ComposedBuffer latent;    // normed
  ComposedBuffer key;       // [rope], rotated
};

/// From x to there. `extra`: columns of w_down behind those of the dense block.
ProjectedBlock project_block(BlockParts& parts, int64_t extra);

/// (q_nope w_uk, q_rope) [heads, kv_lora + rope] of every token.
ComposedBuffer absorb_queries(BlockParts& parts, ComposedBuffer q, ComposedBuffer w_uk);

/// Weighted latents[heads, kv_lora] of every token times w_uv, then w_out^T into `out`.
void expand_and_project(BlockParts& parts, ComposedBuffer latents, ComposedBuffer w_uv, ComposedBuffer out);

/// Values[heads * v] of every token times w_out^T into `out`.
void project_out(BlockParts& parts, ComposedBuffer values, ComposedBuffer out);

/// Why the products per head of an absorbed block cannot run, or empty.
std::string why_no_absorption(const MlaModuleCase& c, const CpuDevice& device);

}  // namespace perfatlas
