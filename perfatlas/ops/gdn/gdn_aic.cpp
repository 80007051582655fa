// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gdn/gdn_aic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/aic/linear_attention.h"
#include "perfatlas/aic/linear_table.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kConvolution = "causal_conv1d_fn", kConvolutionUpdate = "causal_conv1d_update";
constexpr std::string_view kChunk = "chunk_gated_delta_rule";
constexpr std::string_view kDecode = "fused_sigmoid_gating_delta_rule_update";
/// All names under which single-token decode was measured.
constexpr std::array<std::string_view, 3> kDecodeNames{
    kDecode, "fused_recurrent_gated_delta_rule_packed_decode", "fused_recurrent_gated_delta_rule"};
/// Under which the prefill kernel was measured where it was filed by library.
constexpr std::array<std::string_view, 3> kChunkNames{
    "chunk_gated_delta_rule_flashinfer", "chunk_gated_delta_rule_triton", "chunk_gated_delta_rule_cutedsl"};
constexpr double kChunkTokens = 64;
constexpr int kBlackwell = 100;

struct GdnFamily {
  LinearTable table;
  GdnFamily(const Database& database, SharedLayer shared)
      : table("gdn", {"d_model", "d_conv", "num_k_heads", "head_k_dim", "num_v_heads", "head_v_dim"},
              database, shared) {}
};

std::function<double(const LinearLoad&)> bytes_of(const Gdn& op) {
  const double keys = double(op.num_k_heads * op.head_k_dim), values = double(op.num_v_heads * op.head_v_dim);
  if (op.kernel_source == kConvolution || op.kernel_source == kConvolutionUpdate)
    return [channels = 2 * keys + values, width = double(op.d_conv)](const LinearLoad& load) {
      return convolution_bytes(load.x, channels, width);
    };
  const bool chunked = op.kernel_source == kChunk;
  if (!chunked && op.kernel_source != kDecode)
    return [d_model = double(op.d_model)](const LinearLoad& load) { return 2 * load.x * d_model * 2; };
  const double state = double(op.num_v_heads * op.head_v_dim * op.head_k_dim);
  const double state_bytes = op.state_dtype == "bfloat16" || op.state_dtype == "float16" ? 2 : 4;
  return [=](const LinearLoad& load) {
    const double chunks = chunked ? std::floor(load.seq / kChunkTokens) * state * 2 * load.batch : 0;
    const double states = state * state_bytes * load.batch;
    return load.x * (2 * keys + values) * 2 + states + chunks + load.x * values * 2 + states + chunks;
  };
}

/// The name under which the table holds the kernel; empty when it holds none that may be used.
std::string_view measured_name(const Gdn& op, const LinearTable& table, const LinearTable::Shape& shape,
                               const Binding& binding) {
  const auto has = [&](std::string_view name) { return !table.points(name, op.phase, shape).empty(); };
  const bool recurrent = op.kernel_source.find("delta_rule") != std::string::npos;
  const std::string& backend = binding.database.backend();
  if (gdn_kernel_asked(op.kernel_source) != op.kernel_source) return "";
  if (recurrent && (op.state_dtype == "bfloat16" || op.state_dtype == "float16")) {
    const bool special = backend == "sglang" && binding.system().sm_version.value_or(0) >= kBlackwell &&
                         op.state_dtype == "bfloat16" && op.phase == SsmPhase::generation;
    return special && has("flashinfer_gated_delta_rule_decode") ? "flashinfer_gated_delta_rule_decode" : "";
  }
  if (op.kernel_source == kDecode) {
    std::string_view first;
    std::optional<size_t> first_row;
    for (const std::string_view name : kDecodeNames) {
      const auto row = table.first_row(name, op.phase);
      if (row && has(name) && (!first_row || *row < *first_row)) {
        first = name;
        first_row = row;
      }
    }
    return first;
  }
  if (op.kernel_source == kChunk && backend == "vllm" && binding.database.version() == "0.24.0") {
    std::string_view only;
    for (const std::string_view name : kChunkNames) {
      if (!has(name)) continue;
      if (!only.empty()) return "";  // which one would run is not known
      only = name;
    }
    if (!only.empty()) return only;
  }
  return op.kernel_source;
}

}  // namespace

std::string_view gdn_kernel_asked(std::string_view measured) {
  const bool decodes = std::find(kDecodeNames.begin(), kDecodeNames.end(), measured) != kDecodeNames.end();
  return decodes ? kDecode : measured;
}

std::unique_ptr<const Pricer> bind(const Gdn& op, const Binding& binding) {
  LinearQuestion question{.phase = op.phase,
                          .seq_split = op.seq_split,
                          .bytes = bytes_of(op),
                          .bandwidth = binding.system().mem_bw};
  if (binding.mode != Mode::sol_full) {
    const LinearTable& table = binding.family<GdnFamily>().table;
    const LinearTable::Shape shape{op.d_model,    op.d_conv,      op.num_k_heads,
                                   op.head_k_dim, op.num_v_heads, op.head_v_dim};
    const std::string_view name = measured_name(op, table, shape, binding);
    if (PointList points = table.points(name, op.phase, shape); !points.empty())
      question.surface = std::make_shared<const Surface>(
          AxisLayout{.axes = op.phase == SsmPhase::generation ? size_t{1} : size_t{2}}, std::move(points),
          linear_sol(op.phase, question.bytes, question.bandwidth));
  }
  return linear_pricer(std::move(question), binding.mode);
}

}  // namespace perfatlas::aic
