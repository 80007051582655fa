// SPDX-License-Identifier: Apache-2.0
// ggml's mul_mat with weights where llama.cpp keeps them. Activations and results are float32, as everywhere in
// llama.cpp; inside the product activations are rounded to the type that the weights are multiplied by.
#include <fmt/format.h>

#include "perfatlas/backends/ggml/ggml_kernel.h"
#include "perfatlas/backends/ggml/ggml_types.h"
#include "perfatlas/ops/gemm/gemm.h"

namespace perfatlas {
namespace {

constexpr size_t kA = 0, kW = 1, kD = 2;

std::unique_ptr<GgmlKernel> build(const Gemm& gemm, const GgmlDevice& device, WeightBuffer buffer) {
  auto kernel = std::make_unique<GgmlKernel>(device);
  ggml_tensor* const w = kernel->weight(kW, *ggml_weight_type(gemm.dtype), {gemm.k, gemm.n, 1, 1}, buffer);
  ggml_tensor* const a = kernel->operand(kA, GGML_TYPE_F32, {gemm.k, gemm.m, 1, 1});
  kernel->result(ggml_mul_mat(kernel->context(), w, a), kD);
  return kernel;
}

/// Found by running it (ggml 0.25.3): with a single block of input features the AMX product of more than two tiles of
/// rows adds to what the output held before.
bool amx_product_is_wrong(const Gemm& gemm) {
  constexpr int64_t kRowsOfTwoTiles = 32;
  return gemm.k <= block_of(traits_of(gemm.dtype).weight).elements && gemm.m > kRowsOfTwoTiles;
}

template <WeightBuffer buffer>
std::string why_unsupported(const Gemm& gemm, const GgmlDevice& device) {
  if (!ggml_weight_type(gemm.dtype))
    return fmt::format("ggml {} has no weights of type {}", ggml_library_version(), name_of(gemm.dtype));
  if (buffer != WeightBuffer::plain && device.buffer(buffer) == nullptr)
    return fmt::format("this CPU, or this build of ggml, has no {} buffers",
                       buffer == WeightBuffer::amx ? "AMX" : "repacking");
  if (buffer == WeightBuffer::amx && is_block_type(traits_of(gemm.dtype).weight) &&
      amx_product_is_wrong(gemm))
    return "ggml's AMX product of one block of k is wrong beyond 32 rows";
  return build(gemm, device, buffer)->why_unsupported();
}

template <WeightBuffer buffer>
std::unique_ptr<PreparedKernel> prepare(const Gemm& gemm, GgmlDevice& device) {
  std::unique_ptr<GgmlKernel> kernel = build(gemm, device, buffer);
  kernel->finish();
  return kernel;
}

template <WeightBuffer buffer>
Kernel<Gemm, GgmlDevice> kernel_as(std::string_view name) {
  return {name, "ggml", &why_unsupported<buffer>, &prepare<buffer>};
}

}  // namespace

/// In the order in which llama.cpp chooses.
void add_gemm_ggml_kernels(KernelRegistry& registry) {
  registry.add(kernel_as<WeightBuffer::amx>("ggml_mul_mat_amx_buffer"));
  registry.add(kernel_as<WeightBuffer::repack>("ggml_mul_mat_repack_buffer"));
  registry.add(kernel_as<WeightBuffer::plain>("ggml_mul_mat"));
}

}  // namespace perfatlas
