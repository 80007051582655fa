// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/kda/kda_aic.h"

#include <cmath>

#include "perfatlas/aic/linear_attention.h"
#include "perfatlas/aic/linear_table.h"

namespace perfatlas::aic {
namespace {

constexpr double kChunkTokens = 64;

struct KdaFamily {
  LinearTable table;
  KdaFamily(const Database& database, SharedLayer shared)
      : table("kda", {"d_model", "num_v_heads"}, database, shared) {}
};

enum class Work {
  convolution_qkv,
  convolution,
  chunk,
  decode,
  verify,
  convolution_decode,
  convolution_verify,
  unknown
};

Work work_of(std::string_view kernel) {
  if (kernel == "causal_conv1d_fn_qkv3") return Work::convolution_qkv;
  if (kernel == "causal_conv1d_update") return Work::convolution;
  if (kernel == "chunk_kda" || kernel == "chunk_kda_with_fused_gate" || kernel == "flashkda_fwd")
    return Work::chunk;
  if (kernel == "fused_recurrent_kda_packed_decode" || kernel == "fused_kda_decode") return Work::decode;
  if (kernel == "fused_sigmoid_gating_delta_rule_update" || kernel == "fused_recurrent_kda")
    return Work::verify;
  if (kernel == "kda_fused_decode") return Work::convolution_decode;
  if (kernel == "fused_kda_decode_mtp_dspark") return Work::convolution_verify;
  return Work::unknown;
}

std::function<double(const LinearLoad&)> bytes_of(const Kda& op) {
  const Work work = work_of(op.kernel_source);
  const double p = double(op.num_v_heads * op.head_v_dim), width = double(op.d_conv),
               d_model = double(op.d_model);
  const double state = double(op.num_v_heads * op.head_k_dim * op.head_v_dim) * 4;
  const auto decode = [p, state](const LinearLoad& l) { return l.x * 5 * p * 2 + 2 * state * l.batch; };
  const auto verify = [p, state](const LinearLoad& l) {
    return l.x * 5 * p * 2 + state * l.batch + state * l.x;
  };
  const auto convolution = [p, width](const LinearLoad& l) { return convolution_bytes(l.x, 3 * p, width); };
  switch (work) {
    case Work::convolution_qkv:
    case Work::convolution:
      return convolution;
    case Work::chunk:
      return [p, state](const LinearLoad& l) {
        const double chunks = std::floor(l.seq / kChunkTokens) * state * l.batch;
        return l.x * 5 * p * 2 + 2 * state * l.batch + 2 * chunks;
      };
    case Work::decode:
      return decode;
    case Work::verify:
      return verify;
    case Work::convolution_decode:
      return [=](const LinearLoad& l) { return convolution(l) + decode(l); };
    case Work::convolution_verify:
      return [=](const LinearLoad& l) { return convolution(l) + verify(l); };
    case Work::unknown:
      break;
  }
  return [d_model](const LinearLoad& l) { return 2 * l.x * d_model * 2; };
}

}  // namespace

std::unique_ptr<const Pricer> bind(const Kda& op, const Binding& binding) {
  LinearQuestion question{.phase = op.phase,
                          .seq_split = op.seq_split,
                          .draft_tokens = op.draft_tokens,
                          .bytes = bytes_of(op),
                          .bandwidth = binding.system().mem_bw};
  const bool nothing_drafted = op.phase == SsmPhase::verify && op.draft_tokens < 1;
  if (binding.mode != Mode::sol_full && !nothing_drafted) {
    const LinearTable& table = binding.family<KdaFamily>().table;
    const auto shape = table.nearest(op.kernel_source, op.phase, {op.d_model, op.num_v_heads});
    if (shape) {
      PointList points = table.points(op.kernel_source, op.phase, *shape);
      question.surface = std::make_shared<const Surface>(
          AxisLayout{.axes = op.phase == SsmPhase::generation ? size_t{1} : size_t{2}}, std::move(points),
          linear_sol(op.phase, question.bytes, question.bandwidth));
    }
  }
  return linear_pricer(std::move(question), binding.mode);
}

}  // namespace perfatlas::aic
