// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ggml/ggml_kernel.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kAlignment = 256;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

ggml_context* make_context(size_t tensors) {
  const size_t bytes = tensors * ggml_tensor_overhead() + ggml_graph_overhead_custom(tensors, false);
  ggml_context* const context = ggml_init({.mem_size = bytes, .mem_buffer = nullptr, .no_alloc = true});
  if (context == nullptr) throw Error("ggml cannot make a context");
  return context;
}

std::byte* at(void* memory, size_t offset) { return static_cast<std::byte*>(memory) + offset; }

}  // namespace

GgmlKernel::GgmlKernel(const GgmlDevice& device, size_t most_tensors)
    : device_(device),
      context_(make_context(most_tensors)),
      graph_(ggml_new_graph_custom(context_.get(), most_tensors, false)) {}

ggml_tensor* GgmlKernel::operand(size_t index, ggml_type type, const GgmlExtents& extents, size_t offset) {
  ggml_tensor* const tensor = ggml_new_tensor(context(), type, int(extents.size()), extents.data());
  bindings_.push_back({tensor, index, offset, 0});
  return tensor;
}

ggml_tensor* GgmlKernel::weight(size_t index, ggml_type type, const GgmlExtents& extents, WeightBuffer kind) {
  ggml_tensor* const tensor = operand(index, type, extents);
  if (kind == WeightBuffer::plain) return tensor;
  const ggml_backend_buffer_t buffer = device_.buffer(kind);
  PERFATLAS_ASSERT(buffer != nullptr);
  tensor->buffer = buffer;
  ggml_backend_buffer_init_tensor(buffer, tensor);
  bindings_.back().packed_bytes =
      ggml_backend_buft_get_alloc_size(ggml_backend_buffer_get_type(buffer), tensor);
  return tensor;
}

ggml_tensor* GgmlKernel::constant(ggml_type type, const GgmlExtents& extents,
                                  std::vector<std::byte> content) {
  ggml_tensor* const tensor = ggml_new_tensor(context(), type, int(extents.size()), extents.data());
  PERFATLAS_ASSERT(content.size() == ggml_nbytes(tensor));
  tensor->data = constants_.emplace_back(std::move(content)).data();
  constant_tensors_.push_back(tensor);
  return tensor;
}

void GgmlKernel::add(ggml_tensor* tensor) { ggml_build_forward_expand(graph_, tensor); }

void GgmlKernel::result(ggml_tensor* tensor, size_t index, size_t offset) {
  add(tensor);
  PERFATLAS_ASSERT(tensor->view_src == nullptr);
  bindings_.push_back({tensor, index, offset, 0});
}

std::string GgmlKernel::why_unsupported() const {
  for (int i = 0; i < ggml_graph_n_nodes(graph_); ++i) {
    const ggml_tensor* const node = ggml_graph_node(graph_, i);
    if (ggml_backend_dev_supports_op(device_.backend_device(), node)) continue;
    const ggml_tensor* const source = node->src[0];
    return fmt::format("ggml {} has no {} for {} operands of these sizes{}", ggml_library_version(),
                       ggml_op_desc(node), ggml_type_name(source ? source->type : node->type),
                       source && source->buffer
                           ? fmt::format(" in its {} buffers", ggml_backend_buffer_name(source->buffer))
                           : "");
  }
  return {};
}

bool GgmlKernel::has_place(const ggml_tensor* tensor) const {
  const auto is = [&](const auto& entry) { return entry.tensor == tensor; };
  return std::any_of(bindings_.begin(), bindings_.end(), is) ||
         std::count(constant_tensors_.begin(), constant_tensors_.end(), tensor) > 0;
}

void GgmlKernel::finish() {
  for (ggml_tensor* tensor = ggml_get_first_tensor(context()); tensor != nullptr;
       tensor = ggml_get_next_tensor(context(), tensor)) {
    if (tensor->view_src != nullptr) {
      views_.push_back({tensor, tensor->view_offs});
    } else if (!has_place(tensor)) {
      intermediates_.push_back({tensor, workspace_bytes_});
      workspace_bytes_ += aligned(ggml_nbytes(tensor));
    }
  }
  plan_ = ggml_graph_plan(graph_, device_.threads(), device_.threadpool());
  work_data_at_ = workspace_bytes_;
  workspace_bytes_ += aligned(plan_.work_size);
}

const GgmlKernel::Binding* GgmlKernel::binding_of(size_t index) const {
  for (const Binding& binding : bindings_)
    if (binding.index == index) return &binding;
  return nullptr;
}

std::optional<DType> GgmlKernel::taken_dtype(size_t index) const {
  const Binding* const binding = binding_of(index);
  if (binding == nullptr || binding->tensor->type == GGML_TYPE_I32) return std::nullopt;
  return dtype_of(binding->tensor->type);
}

size_t GgmlKernel::packed_bytes(size_t index) const {
  const Binding* const binding = binding_of(index);
  return binding == nullptr ? 0 : binding->packed_bytes;
}

void GgmlKernel::pack(size_t index, const void* declared, void* packed) {
  ggml_tensor* const tensor = binding_of(index)->tensor;
  tensor->data = packed;
  ggml_backend_tensor_set(tensor, declared, 0, ggml_nbytes(tensor));
}

void GgmlKernel::launch(Stream, std::span<void* const> operands, void* workspace) {
  for (const Binding& binding : bindings_) binding.tensor->data = at(operands[binding.index], binding.offset);
  for (const Place& place : intermediates_) place.tensor->data = at(workspace, place.offset);
  for (const Place& view : views_) view.tensor->data = at(view.tensor->view_src->data, view.offset);
  plan_.work_data = reinterpret_cast<uint8_t*>(at(workspace, work_data_at_));
  if (ggml_graph_compute(graph_, &plan_) != GGML_STATUS_SUCCESS) throw Error("ggml did not finish its graph");
}

}  // namespace perfatlas
