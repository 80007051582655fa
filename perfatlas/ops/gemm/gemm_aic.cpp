// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/gemm/gemm_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/ops/gemm/gemm_aic_table.h"
#include "perfatlas/ops/quantize/quantize_aic.h"

namespace perfatlas::aic {
namespace {

/// Points whose utilisation an estimate borrows.
struct Reference {
  std::shared_ptr<const UtilisationGrid> grid;  // null: none
  Provenance provenance = Provenance::empirical;
  double scale = 1;  // on the utilisation
};

Reference find_reference(const GemmTable& table, const AicSystem& system, QuantMode quant,
                         const TransferPolicy& transfers) {
  if (const auto own = table.utilisation(quant, quant)) return {own, Provenance::empirical};
  const QuantProfile& wanted = profile_of(quant);
  const auto same_profile = [&](QuantMode mode) {
    return profile_of(mode).bytes == wanted.bytes && profile_of(mode).multiplier == wanted.multiplier;
  };
  if (transfers.xquant)
    for (const QuantMode mode : table.modes())
      if (mode != quant && same_profile(mode))
        if (const auto sibling = table.utilisation(mode, quant)) return {sibling, Provenance::xquant};
  if (!transfers.xprofile) return {};
  std::vector<QuantMode> others;
  for (const QuantMode mode : table.modes())
    if (!same_profile(mode) && peak_flops(system, mode)) others.push_back(mode);
  const auto farness = [&](QuantMode mode) {
    return std::pair(std::abs(profile_of(mode).multiplier - wanted.multiplier),
                     std::abs(profile_of(mode).bytes - wanted.bytes));
  };
  std::stable_sort(others.begin(), others.end(),
                   [&](QuantMode a, QuantMode b) { return farness(a) < farness(b); });
  for (const QuantMode mode : others)
    if (const auto other = table.utilisation(mode, mode))
      return {other, Provenance::xprofile, usual_gemm_efficiency(quant) / usual_gemm_efficiency(mode)};
  return {};
}

class GemmPricer final : public TablePricer {
 public:
  GemmPricer(const Gemm& op, QuantMode quant, const Binding& binding)
      : TablePricer(binding.mode), op_(op), quant_(quant), sol_(gemm_sol(binding.system(), quant)) {
    if (mode() == Mode::sol || mode() == Mode::sol_full) return;
    table_ = &binding.family<GemmTable>();
    if (mode() != Mode::empirical)
      if ((slice_ = table_->slice(quant)))
        curve_.emplace(*slice_->sites, Coordinates{op.n, op.k}, slice_->sol);
    if (mode() != Mode::silicon)
      reference_ = find_reference(*table_, binding.system(), quant, binding.transfers);
  }

  int64_t rows_of(const PhasePoint& at) const {
    const int64_t tokens = at.tokens / op_.scale_num_tokens;
    return (tokens + op_.seq_split - 1) / op_.seq_split;
  }

  Price silicon(const PhasePoint& at) const override {
    if (!curve_) return Price::failed(Failure::perf_data_not_available);
    const Price price = price_of(curve_->read(rows_of(at)));
    if (!price.ok() && op_.below_grid_sol && mode() == Mode::silicon) return sol_price_of(speed_of_light(at));
    return price;
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return slice_->ground({op_.n, op_.k, rows_of(at)});
  }

  Price empirical(const PhasePoint& at) const override {
    if (!reference_.grid) return Price::failed(Failure::empirical_not_implemented);
    const double utilisation = reference_.grid->at({rows_of(at), op_.n, op_.k});
    return empirical_price(speed_of_light(at).ms(), utilisation * reference_.scale, reference_.provenance);
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return sol_.parts(rows_of(at), op_.n, op_.k);
  }

  std::string explain(const PhasePoint& at) const override {
    const Price price = this->price(at);
    if (price.ok()) return {};
    if (!slice_) return table_->why_missing(quant_) + "; mode HYBRID estimates from other modes";
    return table_->why_missing_shape(quant_, {rows_of(at), op_.n, op_.k},
                                     curve_ ? curve_->read(rows_of(at)).miss_reason : std::string_view());
  }

 private:
  Gemm op_;
  QuantMode quant_;
  GemmSol sol_;
  const GemmTable* table_ = nullptr;  // of a mode that looks at measurements
  std::shared_ptr<const GemmTable::Slice> slice_;
  std::optional<SiteCurve> curve_;
  Reference reference_;
};

/// fp8_static.
class StaticGemmPricer final : public Pricer {
 public:
  StaticGemmPricer(const Gemm& op, const Binding& binding)
      : gemm_(op, QuantMode::fp8, binding),
        op_(op),
        sol_(gemm_sol(binding.system(), QuantMode::fp8)),
        scale_(Quantize::Pass::find_scale, binding) {
    if (op.low_precision_input) matrix_.emplace(Quantize::Pass::apply_scale, binding);
  }

  Price price(const PhasePoint& at) const override {
    Price price = gemm_.price(at);
    if (!price.ok()) return price;
    const int64_t m = gemm_.rows_of(at);
    const Price scale = scale_.price(m, op_.k);
    const Price matrix = matrix_ ? matrix_->price(m, op_.k) : Price{};
    if (!scale.ok()) return scale;
    if (!matrix.ok()) return matrix;
    price.latency_ms =
        std::max(price.latency_ms - scale.latency_ms - matrix.latency_ms, sol_.parts(m, op_.n, op_.k).ms());
    price.energy_mj = std::max(price.energy_mj - scale.energy_mj - matrix.energy_mj, 0.0);
    price.provenance = std::max({price.provenance, scale.provenance, matrix.provenance});
    price.source = Source::estimated;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    const std::string gemm = gemm_.explain(at);
    if (!gemm.empty()) return gemm;
    const std::string scale = scale_.explain();
    return !scale.empty() || !matrix_ ? scale : matrix_->explain();
  }

  Ground ground(const PhasePoint& at) const override { return gemm_.ground(at); }

 private:
  GemmPricer gemm_;
  Gemm op_;
  GemmSol sol_;
  QuantizeCost scale_;
  std::optional<QuantizeCost> matrix_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Gemm& op, const Binding& binding) {
  if (!peak_flops(binding.system(), op.quant))
    return std::make_unique<FailedPricer>(Failure::missing_system_flops,
                                          why_no_peak(binding.system(), profile_of(op.quant).math));
  if (op.quant == QuantMode::fp8_static) return std::make_unique<StaticGemmPricer>(op, binding);
  return std::make_unique<GemmPricer>(op, op.quant, binding);
}

}  // namespace perfatlas::aic
