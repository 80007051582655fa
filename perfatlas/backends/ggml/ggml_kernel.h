// SPDX-License-Identifier: Apache-2.0
// A compute graph of ggml as a kernel: built once in prepare, pointed at the operands of each launch.
#pragma once

#include <ggml.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "perfatlas/backends/ggml/ggml_device.h"
#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// Extents of a tensor as ggml counts them: innermost first.
using GgmlExtents = std::array<int64_t, 4>;

/// Build: operands and constants, then ggml's own functions on context(), then result() for each tensor that is an
/// output, then finish(). ggml aborts the process on shapes that do not fit, so check these first.
class GgmlKernel final : public PreparedKernel {
 public:
  /// `device` outlives the kernel. `most_tensors`: operands, constants, views and results together.
  explicit GgmlKernel(const GgmlDevice& device, size_t most_tensors = 64);

  ggml_context* context() const { return context_.get(); }

  /// A tensor whose data is operand `index` of each launch, from `offset` bytes on. The operand is then taken in
  /// `type`, whatever the op declares.
  ggml_tensor* operand(size_t index, ggml_type type, const GgmlExtents& extents, size_t offset = 0);

  /// The same for a weight in the layout of `kind`, into which pack() brings it.
  /// REQUIRES: device.buffer(kind) for other kinds than plain.
  ggml_tensor* weight(size_t index, ggml_type type, const GgmlExtents& extents, WeightBuffer kind);

  /// A tensor with content of its own, that no launch changes.
  ggml_tensor* constant(ggml_type type, const GgmlExtents& extents, std::vector<std::byte> content);

  /// Makes `tensor` a result of the graph. It is computed after those added before it.
  void add(ggml_tensor* tensor);

  /// add(), and its data is operand `index`, from `offset` bytes on, of each launch.
  void result(ggml_tensor* tensor, size_t index, size_t offset = 0);

  /// See PreparedKernel::allowed_error.
  void allow_error(double relative_l2) { allowed_error_ = relative_l2; }

  /// Why ggml has no kernel for a node of the graph, or empty. May be asked before finish().
  std::string why_unsupported() const;

  /// Plans the graph. The remaining tensors get places in the workspace.
  void finish();

  size_t workspace_bytes() const override { return workspace_bytes_; }
  double allowed_error() const override { return allowed_error_; }
  std::optional<DType> taken_dtype(size_t index) const override;
  size_t packed_bytes(size_t index) const override;
  void pack(size_t index, const void* declared, void* packed) override;
  /// Throws Error when ggml does not finish.
  void launch(Stream stream, std::span<void* const> operands, void* workspace) override;

 private:
  struct FreeContext {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };
  struct Binding {
    ggml_tensor* tensor;
    size_t index, offset;
    size_t packed_bytes;  // 0: as declared
  };
  struct Place {
    ggml_tensor* tensor;
    size_t offset;  // within the workspace, or within view_src
  };
  const Binding* binding_of(size_t index) const;
  bool has_place(const ggml_tensor* tensor) const;

  const GgmlDevice& device_;
  std::unique_ptr<ggml_context, FreeContext> context_;
  ggml_cgraph* graph_;
  ggml_cplan plan_{};
  std::vector<Binding> bindings_;
  std::vector<Place> intermediates_, views_;
  std::vector<std::vector<std::byte>> constants_;  // their memory stays where it is when the vector grows
  std::vector<ggml_tensor*> constant_tensors_;
  size_t workspace_bytes_ = 0, work_data_at_ = 0;
  double allowed_error_ = 0;
};

}  // namespace perfatlas
