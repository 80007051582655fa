// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/msa/msa.h"

#include <algorithm>

#include "perfatlas/ops/mla_module/mla_module_grid.h"

namespace perfatlas {
namespace {

constexpr MsaGeometry kGeometry;
constexpr AicModel kModels[] = {{"MiniMaxAI/MiniMax-M3", "MiniMaxM3ForCausalLM"}};
constexpr DType kCaches[] = {DType::bf16};
constexpr int64_t kPrefixes[] = {0, 128};

/// Sum over i < isl of min(step + i + 1, topk).
double selected_pairs(int64_t step, int64_t isl) {
  const int64_t growing = std::clamp<int64_t>(kGeometry.topk - step, 0, isl);
  return double(growing) * (2.0 * double(step) + double(growing) + 1) / 2 +
         double(isl - growing) * double(kGeometry.topk);
}

}  // namespace

void MsaCase::set_names(MlaModuleCase& c) {
  static const Symbol model(kModels[0].model), architecture(kModels[0].architecture);
  if (c.model == Symbol()) c.model = model;
  if (c.architecture == Symbol()) c.architecture = architecture;
}

std::string_view MsaCase::why_invalid_msa() const {
  if (architecture.text() != kModels[0].architecture) return "architecture must be MiniMaxM3ForCausalLM";
  if (batch < 1 || isl < 1 || heads < 1 || tp < 1)
    return "batch_size, isl, num_heads and tp_size must be positive";
  return step < 0 ? "step must not be negative" : "";
}

Work MsaCase::msa_work(double pairs, int64_t context) const {
  const MsaGeometry g = kGeometry;
  const double t = double(tokens()), n = double(heads), kv = std::max(1.0, n / double(g.heads_per_kv));
  const double h = double(g.hidden), d = double(g.head_dim), v = double(g.value_dim);
  const double index = double(g.index_heads * g.index_dim);
  const double weights = h * n * d + h * 2 * kv * d + n * v * h + h * index;
  const double blocks = context > g.topk ? double((context + g.block - 1) / g.block) : 0;
  const double cached =
      double(batch) *
      (kv * double(std::min(context, g.topk)) * (d + v) * bytes_of(kv_dtype) + blocks * index);
  const QuantTraits quant = traits_of(gemm);
  const bool narrow = blocks > 0 || bits_of(quant.math) < 16 || bits_of(dtype) < 16;
  return {.flops = 2 * t * weights + 2 * n * (d + v) * pairs + 2 * t * index * blocks,
          .weight_bytes_read = weights * quant.weight_bytes,
          .kv_bytes_read = cached,
          .activation_bytes_read = t * h * bytes_of(dtype),
          .bytes_written = t * h * bytes_of(dtype),
          // The fastest type of any of its products: a lower bound.
          .math = bits_of(quant.math) < 8 ? quant.math
                  : narrow                ? DType::fp8_e4m3
                                          : dtype};
}

Work MsaContextModule::work() const {
  return msa_work(double(batch) * selected_pairs(step, isl), context_tokens());
}

Work MsaGenerationModule::work() const {
  return msa_work(double(batch) * double(std::min(step, kGeometry.topk)), step);
}

void MsaContextModule::aic_cases(const AicGrid& grid, const CaseSink<MsaContextModule>& sink) {
  if (grid.framework != AicFramework::trtllm) return;
  emit_aic_context_modules(grid, kModels, kCaches, [&](const MlaModuleCase& c) {
    for (const int64_t prefix : kPrefixes) {
      MsaContextModule op(c);
      op.step = prefix;
      sink(op);
    }
  });
}

void MsaGenerationModule::aic_cases(const AicGrid& grid, const CaseSink<MsaGenerationModule>& sink) {
  if (grid.framework != AicFramework::trtllm) return;
  emit_aic_generation_modules(grid, kModels, kCaches,
                              [&](const MlaModuleCase& c) { sink(MsaGenerationModule(c)); });
}

}  // namespace perfatlas
