// SPDX-License-Identifier: Apache-2.0
// What FlashInfer's decode is handed for sparse attention, by a stand-in that does on the host what the library
// promises.
#include "perfatlas/ops/dsa/dsa_cuda_flashinfer.h"

#include <gmock/gmock.h>

#include "perfatlas/backends/cuda/kernel_checks_test.h"
#include "perfatlas/ops/mla/mla_geometry.h"

namespace perfatlas {
void add_dsa_cuda_kernels(KernelRegistry&);
namespace {

using testing::HasSubstr;
using testing::Not;

/// Float32, since the host computes it; of the units only types differ.
class HostDecode final : public MlaAttention {
 public:
  explicit HostDecode(MlaRequests requests) : requests_(std::move(requests)) {}
  size_t workspace_bytes() const override { return 100; }
  void launch(const MlaBuffers& buffers, Stream stream) override {
    static_cast<FakeStream*>(stream)->take([this, buffers] {
      for (size_t request = 0; request < requests_.lengths.size(); ++request)
        for (int64_t head = 0; head < requests_.heads; ++head) attend(buffers, request, head);
    });
  }

 private:
  static constexpr auto kWidth = size_t(kMlaCached), kValues = size_t(kMlaLatent);

  const float* token(const MlaBuffers& buffers, size_t request, int64_t i) const {
    const int32_t* const pages = buffers.pages + request * size_t(requests_.pages_per_request);
    const int64_t place =
        pages[i / requests_.page_tokens] * requests_.page_tokens + i % requests_.page_tokens;
    return static_cast<const float*>(buffers.cache) + size_t(place) * kWidth;
  }
  void attend(const MlaBuffers& buffers, size_t request, int64_t head) const {
    const size_t row = request * size_t(requests_.heads) + size_t(head);
    const float* const q = static_cast<const float*>(buffers.q) + row * kWidth;
    std::vector<double> sum(kValues, 0.0);
    double total = 0;
    for (int64_t i = 0; i < requests_.lengths[request]; ++i) {
      const float* const key = token(buffers, request, i);
      double score = 0;
      for (size_t d = 0; d < kWidth; ++d) score += double(q[d]) * double(key[d]);
      const double weight = std::exp(score * requests_.scale);
      total += weight;
      for (size_t d = 0; d < kValues; ++d) sum[d] += weight * double(key[d]);
    }
    for (size_t d = 0; d < kValues; ++d)
      static_cast<float*>(buffers.out)[row * kValues + d] = float(sum[d] / total);
  }

  MlaRequests requests_;
};

std::unique_ptr<MlaAttention> make_host_decode(const MlaRequests& requests, Device&) {
  return std::make_unique<HostDecode>(requests);
}

DsaAttention attention(int64_t isl, int64_t step) {
  DsaAttention op;
  op.architecture = Symbol("TinyDsa");
  op.dtype = op.kv_dtype = DType::f32;
  op.heads = 2, op.batch = 2, op.isl = isl, op.step = step;
  return op;
}

struct SparseMlaCuda : CudaKernelChecks {
  SparseMlaCuda() : CudaKernelChecks(&add_dsa_cuda_kernels) {
    on_stand_in.add(Kernel<DsaAttention, CudaDevice>{
        "flashinfer_sparse_mla_fa2", "cuda",
        [](const DsaAttention& op, const CudaDevice&) { return why_no_sparse_mla(op); },
        [](const DsaAttention& op, CudaDevice& device) {
          return make_sparse_mla(op, device, &make_host_decode);
        }});
  }
  KernelRegistry on_stand_in;
};

TEST_F(SparseMlaCuda, EveryTokenIsARequestForTheTokensSelectedForIt) {
  // Fewer cached tokens than are selected, as many for some, more; one page and several.
  for (const auto& [isl, step] : {std::pair{1, 300}, {5, 0}, {3, 1100}, {40, 10}})
    EXPECT_EQ(
        failures_of_kernels(attention(isl, step), on_stand_in.of("dsa_attention", "cuda"), device_, checked_),
        "");
  EXPECT_EQ(checked_, 4);
}

TEST_F(SparseMlaCuda, RefusesWhatTheLibraryDoesNotHave) {
  DsaAttention many_heads = attention(1, 300);
  many_heads.heads = 129;
  EXPECT_THAT(why_no_sparse_mla(many_heads), HasSubstr("at most 128 heads"));
  EXPECT_THAT(why_no_sparse_mla(attention(8000, 0)), HasSubstr("at most 15360 query tokens"));
  DsaAttention fp8_cache = attention(1, 300);
  fp8_cache.dtype = DType::bf16, fp8_cache.kv_dtype = DType::fp8_e4m3;
  runtime_->properties.sm_version = 80;
  const CudaDevice ampere(runtime_, "cuda:0", LibrarySearch{});
  EXPECT_THAT(why_no_mla_decode_unit(false, DType::bf16, DType::fp8_e4m3, ampere),
              HasSubstr("shared memory"));
  EXPECT_THAT(reasons(fp8_cache)[1], Not(HasSubstr("shared memory")));
  // Of the types of the test there is no unit, of bf16 there is one where the headers were.
  EXPECT_THAT(reasons(attention(1, 300))[1], HasSubstr("flashinfer_mla_decode_f32_f32"));
}

}  // namespace
}  // namespace perfatlas
