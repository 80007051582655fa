// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_cuda_xqa.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "perfatlas/backends/cuda/cuda_call.h"
#include "perfatlas/backends/cuda/cuda_units.h"
#include "perfatlas/ops/attention/attention_cuda_xqa_module.h"

namespace perfatlas {
namespace {

constexpr int64_t kMostGridZ = 65535;  // CUDA's limit of a grid's third dimension

/// One module, opened; or why not.
struct XqaModule {
  XqaModule(const std::string& file, const CudaDevice& device)
      : library(
            {.name = "XQA", .files = {file}, .wheel_folders = {}, .more_folders = {device.module_folder()}},
            LibrarySearch{}) {
    const std::string wanted = fmt::format(PERFATLAS_XQA_INTERFACE "/{}", cuda_units_version());
    const std::string found = version == nullptr ? "no version" : version();
    if (!std::filesystem::exists(std::filesystem::path(device.module_folder()) / file))
      reason = fmt::format("no {} in {}: this build has no XQA for such heads and types", file,
                           device.module_folder());
    else if (!library.loaded())
      reason = library.reason();
    else if (enqueue == nullptr || found != wanted)
      reason = fmt::format("{} is of another build: it is {}, this worker takes {}", library.path(), found,
                           wanted);
  }

  DynamicLibrary library;  // first: the rest is looked up in it
  XqaVersion* version = library.accept("perfatlas_xqa_version");
  XqaEnqueue* enqueue = library.accept("perfatlas_xqa_launch");
  std::string reason;  // empty when it can be used
};

class XqaDecode final : public PagedAttention {
 public:
  XqaDecode(const AttentionShape& shape, CudaDevice& device)
      : enqueue_(XqaModule(xqa_module_file(shape), device).enqueue),
        tokens_(filled(size_t(shape.batch), uint32_t(shape.context_tokens()), device)),
        semaphores_(filled(size_t(shape.batch * shape.kv_heads), 0, device)) {
    launch_.tokens = static_cast<const uint32_t*>(tokens_.get());
    launch_.semaphores = static_cast<uint32_t*>(semaphores_.get());
    launch_.batch = uint32_t(shape.batch);
    launch_.kv_heads = uint32_t(shape.kv_heads);
    launch_.pages_per_sequence = uint32_t(shape.pages_per_sequence());
    launch_.query_scale = float(shape.score_scale() * std::sqrt(double(shape.head_dim)));
  }

  size_t workspace_bytes() const override { return kXqaScratchBytes; }

  void launch(const PagedAttentionBuffers& buffers, Stream stream) override {
    XqaLaunch launch = launch_;
    launch.q = buffers.q;
    launch.k_cache = buffers.k_cache;
    launch.v_cache = buffers.v_cache;
    launch.out = buffers.out;
    launch.page_table = buffers.page_table;
    launch.scratch = buffers.workspace;
    launch.stream = stream;
    check_cuda(cudaError_t(enqueue_(launch)), "FlashInfer XQA decode");
  }

 private:
  static std::shared_ptr<void> filled(size_t count, uint32_t value, CudaDevice& device) {
    const std::vector<uint32_t> all(count, value);
    std::shared_ptr<void> memory = device.allocate(count * sizeof(uint32_t));
    device.copy_in(memory.get(), all.data(), count * sizeof(uint32_t));
    return memory;
  }

  XqaEnqueue* enqueue_;
  std::shared_ptr<void> tokens_, semaphores_;
  XqaLaunch launch_;
};

}  // namespace

std::string xqa_module_file(const AttentionShape& s) {
  return fmt::format("perfatlas_xqa_{}_{}_{}_{}.so", cuda_type_name(s.dtype), cuda_type_name(s.kv_dtype),
                     s.head_dim, s.group());
}

std::string why_no_xqa(const AttentionShape& s, const CudaDevice& device) {
  if (s.dtype != DType::bf16 || (s.kv_dtype != DType::bf16 && s.kv_dtype != DType::fp8_e4m3))
    return fmt::format("XQA here takes bfloat16 queries and a bfloat16 or fp8 cache, not {} and {}",
                       name_of(s.dtype), name_of(s.kv_dtype));
  if (s.window > 0) return "XQA here has no window";
  if (s.isl != 1) return "XQA here decodes one token per sequence";
  const bool fp8 = s.kv_dtype == DType::fp8_e4m3;
  if (const int64_t blocks = fp8 ? s.batch * s.kv_heads : s.batch; blocks > kMostGridZ)
    return fmt::format("XQA launches at most {} {}", kMostGridZ, fp8 ? "key/value heads" : "sequences");
  const int sm = device.sm_version();
  if (fp8 ? sm != 90 : sm < 90)
    return fmt::format("XQA {} compute capability 9.0{}, {} has {}.{}",
                       fp8 ? "of an fp8 cache is for" : "needs", fp8 ? "" : " or newer", device.info().name,
                       sm / 10, sm % 10);
  const auto built = cuda_unit_capabilities();
  if (std::find(built.begin(), built.end(), sm) == built.end())
    return fmt::format("this build's library kernels are not for compute capability {}.{}", sm / 10, sm % 10);
  return XqaModule(xqa_module_file(s), device).reason;
}

std::unique_ptr<PagedAttention> make_xqa_decode(const AttentionShape& shape, CudaDevice& device) {
  return std::make_unique<XqaDecode>(shape, device);
}

/// e4m3 keeps four significant bits: rounded to nearest, an element is off by up to 1/16 of itself, 0.036 in the mean
/// square. Scores are sums of many such products and weights are rounded once more: about 0.05 together, doubled.
double xqa_allowed_error(const AttentionShape& shape) { return shape.kv_dtype == DType::fp8_e4m3 ? 0.1 : 0; }

}  // namespace perfatlas
