// SPDX-License-Identifier: Apache-2.0
// oneDNN 3.2 has a layer normalisation but no RMS one, and none that adds.
#include "perfatlas/backends/cpu/loop_kernel.h"
#include "perfatlas/backends/cpu/stored_element.h"
#include "perfatlas/ops/add_rms_norm/add_rms_norm.h"
#include "perfatlas/ops/rms_norm/rms_norm_cpu_row.h"

namespace perfatlas {
namespace {

template <class T, NormRowFunction norm>
void norm_rows(const AddRmsNorm& op, std::span<void* const> operands, int64_t first, int64_t last) {
  const auto* x = static_cast<const T*>(operands[0]);
  auto *residual = static_cast<T*>(operands[1]), *out = static_cast<T*>(operands[3]);
  for (int64_t at = first * op.hidden; at < last * op.hidden; at += op.hidden)
    norm({x + at, residual + at, operands[2], out + at, op.hidden, float(AddRmsNorm::kEpsilon)});
}

struct AddRmsNormLoops {
  using Op = AddRmsNorm;
  static std::string why_not(const Op& op) { return why_no_loop_type(op.dtype); }
  static int64_t items(const Op& op) { return op.tokens; }
  static LoopShare<Op> avx512(const Op& op) {
    if (op.dtype == DType::f32) return &norm_rows<float, norm_row_avx512<float, true>>;
    return &norm_rows<Bf16, norm_row_avx512<Bf16, true>>;
  }
  static LoopShare<Op> portable(const Op& op) {
    if (op.dtype == DType::f32) return &norm_rows<float, norm_row_portable<float, true>>;
    return &norm_rows<Bf16, norm_row_portable<Bf16, true>>;
  }
};

}  // namespace

void add_add_rms_norm_cpu_kernels(KernelRegistry& registry) { add_loop_kernels<AddRmsNormLoops>(registry); }

}  // namespace perfatlas
