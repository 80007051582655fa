// SPDX-License-Identifier: Apache-2.0
// The fields that the three kernels of sparse attention (indexer logits, top-k, attention) share: the columns of the
// published glm5_*_module tables.
#pragma once

#include "perfatlas/ops/dsa/dsa_shape.h"
#include "perfatlas/schema/op.h"

namespace perfatlas {

inline Symbol default_dsa_architecture() {
  static const Symbol name("DeepseekV32ForCausalLM");
  return name;
}
inline Symbol default_dsa_model() {
  static const Symbol name("deepseek-ai/DeepSeek-V3.2");
  return name;
}

/// Scores (tokens x context) of the largest cases of a model's grid: 4 GB of them. Frameworks, too, score a longer
/// prompt in chunks.
inline constexpr double kMostDsaScores = 1073741824;

struct DsaKernelCase {
  Symbol model = default_dsa_model();
  Symbol architecture = default_dsa_architecture();
  DType dtype = DType::bf16;
  DType kv_dtype = DType::bf16;
  Quant gemm = Quant::bf16;
  int64_t heads = 1;
  int64_t batch = 1;
  int64_t isl = 1;
  int64_t tp = 1;
  int64_t step = 0;
  int64_t compress = 1;
  bool operator==(const DsaKernelCase&) const = default;

  DsaShape shape() const {
    const MlaGeometry* geometry = find_mla_geometry(architecture);
    return {.batch = batch,
            .isl = isl,
            .step = step,
            .heads = heads,
            .geometry = geometry == nullptr ? MlaGeometry{} : *geometry,
            .dtype = dtype,
            .kv_dtype = kv_dtype};
  }
  /// Of what all three share.
  std::string_view why_invalid_case() const {
    if (compress != 1) return "compress_ratio must be 1: these models do not compress along the sequence";
    if (tp < 1) return "tp_size must be positive";
    return why_invalid_dsa(shape());
  }
};

/// Columns before and behind num_heads, whose role differs between the ops.
inline constexpr auto kDsaFieldsBeforeHeads = std::tuple{
    field("model", &DsaKernelCase::model, Role::recorded, "checkpoint whose sizes were taken"),
    field("architecture", &DsaKernelCase::architecture, Role::exact,
          "fixes head sizes, indexer and top-k: DeepseekV32ForCausalLM, GlmMoeDsaForCausalLM or TinyDsa"),
    field("mla_dtype", &DsaKernelCase::dtype, Role::exact, "type of the products").flagged("dtype"),
    field("kv_cache_dtype", &DsaKernelCase::kv_dtype, Role::exact, "stored type of the cache")
        .flagged("kv_dtype"),
    field("gemm_type", &DsaKernelCase::gemm, Role::recorded, "of the model's linear layers: not used here")
        .flagged("gemm"),
};
inline constexpr auto kDsaFieldsBehindHeads = std::tuple{
    field("batch_size", &DsaKernelCase::batch, Role::axis, "sequences of equal length").flagged("batch"),
    field("isl", &DsaKernelCase::isl, Role::axis, "new tokens per sequence"),
    field("tp_size", &DsaKernelCase::tp, Role::recorded, "ranks of the model; heads are local already")
        .flagged("tp"),
    field("step", &DsaKernelCase::step, Role::axis, "tokens per sequence already in the cache"),
    field("compress_ratio", &DsaKernelCase::compress, Role::recorded, "always 1").flagged("compress"),
};

template <class Op>
inline constexpr auto kDsaTokenAxes = std::array{
    axis<&DsaKernelCase::step, Op>("step"),
    axis<&DsaKernelCase::isl, Op>("isl"),
    axis<&DsaKernelCase::batch, Op>("batch"),
};

}  // namespace perfatlas
