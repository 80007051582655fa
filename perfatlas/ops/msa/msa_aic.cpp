// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/msa/msa_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/sparse_table.h"
#include "perfatlas/ops/dsa/dsa_aic.h"
#include "perfatlas/ops/dsa/dsa_aic_sol.h"

namespace perfatlas::aic {
namespace {

constexpr const char* kArchitecture = "MiniMaxM3ForCausalLM";

template <bool context>
struct MsaFamily {
  SparseTable table;
  MsaFamily(const Database& database, SharedLayer shared)
      : table(context ? "msa_context_module" : "msa_generation_module", context, database, shared) {}
};

struct MsaSol {
  double n_kv, hidden, d, v, index_heads, index_dim, topk, block;
  double gemm_flops = 1, fp8_flops = 1, attention_flops = 1, bandwidth = 1;
  double gemm_bytes = 2, kv_bytes = 2, fmha_bytes = 2;

  /// `seen`: tokens of a sequence that the last new one can see; t: new tokens; pairs of one head.
  SolParts parts(double b, double n, double t, double seen, double pairs) const {
    const double weights =
        hidden * n * d + hidden * 2 * n_kv * d + n * v * hidden + hidden * index_heads * index_dim;
    const double blocks = seen > topk ? std::ceil(seen / block) : 0;
    const double index = 2 * t * index_heads * index_dim * blocks;
    const double attention = 2 * n * (d + v) * pairs;
    const double bytes = weights * gemm_bytes + b * n_kv * std::min(seen, topk) * (d + v) * kv_bytes +
                         b * blocks * index_heads * index_dim + t * n * d * fmha_bytes * 2;
    return {(2 * t * weights / gemm_flops + index / fp8_flops + attention / attention_flops) * 1e3,
            bytes / bandwidth * 1e3};
  }
  SolParts context(int64_t b_, int64_t n, int64_t s_, int64_t p_) const {
    const double b = double(b_), s = double(s_), p = double(p_);
    return parts(b, double(n), b * s, s + p, limited_pairs(b, s, p, topk));
  }
  SolParts generation(int64_t b_, int64_t n, int64_t s) const {
    const double b = double(b_), seen = double(std::max<int64_t>(s - 1, 0));
    return parts(b, double(n), b, seen, b * std::min(seen, topk));
  }
};

class MsaPricer final : public TablePricer {
 public:
  MsaPricer(const MsaModule& op, const MsaSol& sol, const Binding& binding)
      : TablePricer(binding.mode), op_(op), sol_(sol) {
    if (mode() == Mode::sol) return;
    const SparseTable& table =
        op.context ? binding.family<MsaFamily<true>>().table : binding.family<MsaFamily<false>>().table;
    const SparseKey key{kArchitecture, op.context ? op.fmha_quant : QuantMode::bfloat16, op.kv_quant,
                        op.gemm_quant};
    PointList points = table.points(key, SparseKernels::flashmla);
    if (points.empty()) {
      why_missing_ = table.why_missing(key);
    } else {
      surface_ = std::make_shared<const Surface>(
          AxisLayout{.axes = op.context ? size_t{4} : size_t{3}}, std::move(points),
          [sol, context = op.context](const Coordinates& at) {
            return context ? sol.context(at[3], at[0], at[2], at[1]).ms()
                           : sol.generation(at[1], at[0], at[2]).ms();
          });
    }
    if (mode() == Mode::silicon || !binding.transfers.xop) return;
    // Decode blocks of DSA are filed under bfloat16 attention.
    if (!op.context && op.fmha_quant != QuantMode::bfloat16) return;
    DsaModule like;
    like.context = op.context;
    like.num_heads = op.num_heads;
    like.kv_quant = op.kv_quant;
    like.fmha_quant = op.fmha_quant;
    like.gemm_quant = op.gemm_quant;
    like.projections = {op.gemm_quant, op.gemm_quant, op.gemm_quant, op.gemm_quant};
    like.architecture = op.dsa_architecture;
    Binding measured = binding, light = binding;
    measured.mode = Mode::silicon;
    light.mode = Mode::sol;
    dsa_measured_ = bind(like, measured);
    dsa_light_ = bind(like, light);
  }

  Price silicon(const PhasePoint& at) const override {
    if (!surface_) return Price::failed(Failure::perf_data_not_available);
    return surface_->price(place(at));
  }

  Ground silicon_ground(const PhasePoint& at) const override { return surface_->ground(place(at)); }

  Price empirical(const PhasePoint& at) const override {
    if (!dsa_measured_) return Price::failed(Failure::empirical_not_implemented);
    const Price measured = dsa_measured_->price(at), light = dsa_light_->price(at);
    if (!measured.ok() || !light.ok()) return Price::failed(Failure::empirical_not_implemented);
    const double utilisation = light.latency_ms / measured.latency_ms;
    return empirical_price(speed_of_light(at).ms(), utilisation * op_.dsa_scale_k, Provenance::xop);
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return op_.context ? sol_.context(at.batch, op_.num_heads, at.s, at.prefix)
                       : sol_.generation(at.batch, op_.num_heads, at.s);
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (mode() != Mode::silicon) return "there is no DSA block to borrow efficiency from; " + why_missing_;
    return surface_ ? surface_->why_missing(place(at)) : why_missing_;
  }

 private:
  Coordinates place(const PhasePoint& at) const {
    return op_.context ? Coordinates{op_.num_heads, at.prefix, at.s, at.batch}
                       : Coordinates{op_.num_heads, at.batch, at.s};
  }

  MsaModule op_;
  MsaSol sol_;
  std::shared_ptr<const Surface> surface_;                  // null: not measured
  std::unique_ptr<const Pricer> dsa_measured_, dsa_light_;  // null: nothing is borrowed
  std::string why_missing_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const MsaModule& op, const Binding& binding) {
  const AicSystem& system = binding.system();
  for (const MathType math : {profile_of(op.gemm_quant).math, MathType::fp8, profile_of(op.fmha_quant).math})
    if (!peak_flops(system, math))
      return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(system, math));
  if (binding.mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(Failure::sol_not_implemented,
                                          "the speed of light of this block has no parts");
  const MsaSol sol{.n_kv = double(op.num_kv_heads),
                   .hidden = double(op.hidden_size),
                   .d = double(op.head_dim),
                   .v = double(op.v_head_dim),
                   .index_heads = double(op.index_n_heads),
                   .index_dim = double(op.index_head_dim),
                   .topk = double(op.index_topk),
                   .block = double(op.block_size),
                   .gemm_flops = *peak_flops(system, op.gemm_quant),
                   .fp8_flops = *peak_flops(system, MathType::fp8),
                   .attention_flops = *peak_flops(system, op.fmha_quant),
                   .bandwidth = system.mem_bw,
                   .gemm_bytes = profile_of(op.gemm_quant).bytes,
                   .kv_bytes = profile_of(op.kv_quant).bytes,
                   .fmha_bytes = profile_of(op.fmha_quant).bytes};
  return std::make_unique<MsaPricer>(op, sol, binding);
}

}  // namespace perfatlas::aic
