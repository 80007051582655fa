// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_mla/wide_ep_mla_aic.h"

#include <cmath>

#include "perfatlas/aic/phase_points.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface_pricer.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { dtype, kv_dtype, heads, batch, isl, step };

constexpr double kHidden = 7168, kQLora = 1536, kLatent = 512, kNope = 128, kValue = 128, kQueryKey = 192;
constexpr int64_t kModelHeads = 128;

struct WideEpSol {
  double flops = 1, bf16_flops = 1, bytes = 1, bandwidth = 1;

  /// Heads of a rank follow from the ranks, which are a whole number.
  static double heads_of(int64_t n) { return double(kModelHeads / (kModelHeads / n)); }

  SolParts context(int64_t n_, int64_t b_, int64_t s_, int64_t p_) const {
    const double n = heads_of(n_), b = double(b_), s = double(s_), p = double(p_), full = s + p;
    const double operations = 2 * kQLora * n * kQueryKey * b * s +
                              2 * kLatent * n * (kNope + kValue) * b * s + 2 * n * kValue * kHidden * b * s;
    const double attention = std::floor(2 * n * (kQueryKey + kValue) * b * (full * full - p * p) / 2);
    const double elements =
        (b * kQLora * s + kQLora * n * kQueryKey + 2 * b * n * kQueryKey * s) +
        (b * s * kLatent + n * (kNope + kValue) * kLatent + 2 * b * n * (kNope + kValue) * s) +
        2 * (b * s * n * kQueryKey + b * full * n * kQueryKey + b * full * n * kValue + b * s * n * kValue) +
        (b * n * kValue * s + n * kValue * kHidden + 2 * b * kHidden * s);
    return {(operations / flops + attention / bf16_flops) * 1e3, elements * bytes / bandwidth * 1e3};
  }

  SolParts generation(int64_t n_, int64_t b_, int64_t s_) const {
    const double n = heads_of(n_), b = double(b_), s = double(s_);
    constexpr double kCached = 576, kAbsorbed = 1088;
    const double operations = 2 * kQLora * n * kQueryKey * b + 2 * n * kNope * kLatent * b +
                              2 * b * n * kLatent * kValue + 2 * n * kValue * kHidden * b;
    const double attention = 2 * b * s * n * kAbsorbed;
    const double elements = (b * kQLora + kQLora * n * kQueryKey + 2 * b * n * kQueryKey) +
                            (b * n * kNope + n * kLatent * kNope + 2 * b * n * kLatent) +
                            2 * (b * n * kCached + b * s * kCached + b * n * kLatent) +
                            (b * n * kLatent + n * kNope * kLatent + 2 * b * n * kValue) +
                            (b * n * kValue + n * kValue * kHidden + 2 * b * kHidden);
    return {(operations / flops + attention / bf16_flops) * 1e3, elements * bytes / bandwidth * 1e3};
  }
};

template <bool context>
class WideEpTable {
 public:
  WideEpTable(const Database& database, SharedLayer shared)
      : rows_(database.rows(id(), shared)),
        fields_(*rows_, {"mla_dtype", "kv_cache_dtype", "num_heads", "batch_size", "isl", "step"}),
        index_(database.table_name(id()), rows_,
               {{"kernel_source", &kernel_text}, fields_.part(dtype), fields_.part(kv_dtype)},
               [this](uint32_t row, TableKey& key) {
                 key = {rows_->kernel(row).id(), context ? fields_(row, dtype) : 0, fields_(row, kv_dtype)};
                 return true;
               }) {}

  TableKey key(const WideEpMla& op, const std::string& backend) const {
    return {Symbol(backend).id(), context ? fields_.value_of(dtype, name_of(op.fmha_quant)).value_or(-1) : 0,
            fields_.value_of(kv_dtype, name_of(op.kv_quant)).value_or(-1)};
  }

  std::shared_ptr<const Surface> make(const TableKey& key, const WideEpSol& sol) const {
    const TableIndex::Group* group = index_.find(key);
    if (group == nullptr) return nullptr;
    PointList points = phase_points(*rows_, fields_, group->rows, {heads, batch, isl, step}, context);
    AxisLayout layout{.axes = 3};
    if (context) layout.transforms[1] = Transform::sqrt;
    return std::make_shared<const Surface>(layout, std::move(points), [sol](const Coordinates& at) {
      return context ? sol.context(at[0], at[2], at[1], 0).ms() : sol.generation(at[0], at[1], at[2]).ms();
    });
  }

  bool empty() const { return rows_->empty(); }
  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }
  static constexpr std::string_view id() {
    return context ? "wide_ep_context_mla" : "wide_ep_generation_mla";
  }

 private:
  static std::string kernel_text(int64_t symbol) { return std::string(Symbol::from_id(symbol).text()); }

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
};

template <bool context>
void look_up(SurfaceQuestion& question, const WideEpMla& op, const WideEpSol& sol, const Binding& binding) {
  const auto& table = binding.family<WideEpTable<context>>();
  for (const std::string& backend : {op.attn_backend, std::string("trtllm_mla")})
    if (!question.surface) question.surface = table.make(table.key(op, backend), sol);
  if (!question.surface) question.why_missing = table.why_missing(table.key(op, op.attn_backend));
}

bool has_rows(const WideEpMla& op, const Binding& binding) {
  return op.context ? !binding.family<WideEpTable<true>>().empty()
                    : !binding.family<WideEpTable<false>>().empty();
}

}  // namespace

std::unique_ptr<const Pricer> bind(const WideEpMla& op, const Binding& binding) {
  const AicSystem& system = binding.system();
  // Decode computes in what the cache allows, whatever is asked for.
  const QuantMode computed = op.context                                          ? op.fmha_quant
                             : decode_math(system, op.kv_quant) == MathType::fp8 ? QuantMode::fp8
                                                                                 : QuantMode::bfloat16;
  for (const MathType math : {profile_of(computed).math, MathType::bf16})
    if (!peak_flops(system, math))
      return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(system, math));
  if (binding.mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(Failure::sol_not_implemented,
                                          "the speed of light of this block has no parts");
  const bool measured = binding.mode == Mode::silicon || binding.mode == Mode::hybrid;
  if (measured && op.attn_backend != "flashinfer" && op.attn_backend != "fa3" && has_rows(op, binding))
    return std::make_unique<FailedPricer>(
        Failure::invalid_engine_config,
        "attn_backend '" + op.attn_backend + "' is neither flashinfer nor fa3");
  const WideEpSol sol{*peak_flops(system, computed), *peak_flops(system, MathType::bf16),
                      profile_of(computed).bytes, system.mem_bw};
  SurfaceQuestion question;
  const int64_t n = op.num_heads();
  if (op.context) {
    if (binding.mode != Mode::sol) look_up<true>(question, op, sol, binding);
    question.place = [n](const PhasePoint& at) { return Coordinates{n, at.s + at.prefix, at.batch}; };
    question.sol = [n, sol](const PhasePoint& at) { return sol.context(n, at.batch, at.s, at.prefix); };
    question.share = [](const PhasePoint& at) {
      const double full = double(at.s + at.prefix), p = double(at.prefix);
      return (full * full - p * p) / (full * full);
    };
  } else {
    if (binding.mode != Mode::sol) look_up<false>(question, op, sol, binding);
    question.place = [n](const PhasePoint& at) { return Coordinates{n, at.batch, at.s}; };
    question.sol = [n, sol](const PhasePoint& at) { return sol.generation(n, at.batch, at.s); };
  }
  auto pricer = surface_pricer(std::move(question), binding.mode);
  return op.context && op.cp_size > 1 ? zigzag_pricer(std::move(pricer), op.cp_size) : std::move(pricer);
}

}  // namespace perfatlas::aic
