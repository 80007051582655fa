// SPDX-License-Identifier: Apache-2.0
// oneDNN 3.2 has a layer normalisation but no RMS one.
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/backends/cpu/stored_element.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/ops/rms_norm/rms_norm_cpu_row.h"

namespace perfatlas {
namespace {

template <class T, NormRowFunction norm>
void norm_rows(const RmsNorm& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* x = static_cast<const T*>(operands[0]);
  auto* out = static_cast<T*>(operands[2]);
  for (int64_t row = first; row < last; ++row)
    norm({x + row * op.hidden, nullptr, operands[1], out + row * op.hidden, op.hidden,
          float(RmsNorm::kEpsilon)});
}

struct RmsNormLoops {
  using Op = RmsNorm;
  static std::string why_not(const Op& op) { return why_no_loop_type(op.dtype); }
  static int64_t items(const Op& op) { return op.tokens; }
  static LoopShare<Op> avx512(const Op& op) {
    if (op.dtype == DType::f32) return &norm_rows<float, norm_row_avx512<float, false>>;
    return &norm_rows<Bf16, norm_row_avx512<Bf16, false>>;
  }
  static LoopShare<Op> portable(const Op& op) {
    if (op.dtype == DType::f32) return &norm_rows<float, norm_row_portable<float, false>>;
    return &norm_rows<Bf16, norm_row_portable<Bf16, false>>;
  }
};

}  // namespace

void add_rms_norm_cpu_kernels(KernelRegistry& registry) { add_loop_kernels<RmsNormLoops>(registry); }

}  // namespace perfatlas
