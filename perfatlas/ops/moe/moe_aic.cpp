// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/ops/moe/moe_aic_table.h"

namespace perfatlas::aic {
namespace {

template <bool low_latency>
struct MoeFamily {
  MoeTable table;
  MoeFamily(const Database& database, SharedLayer shared) : table(database, shared, low_latency) {}
};

constexpr int64_t kLowLatencyTokens = 128;
constexpr double kBalancedShare =
    0.8;  // of the tokens, on the busiest rank once experts are copied to balance them

/// Points whose utilisation an estimate borrows.
struct Reference {
  std::shared_ptr<const Surface> surface;  // null: none
  Provenance provenance = Provenance::empirical;
  double scale = 1;
};

MoeShape shape_of(const Moe& op) {
  return {op.topk, op.num_experts, op.hidden_size, op.inter_size, op.moe_tp_size, op.moe_ep_size};
}

class Ladder {
 public:
  Ladder(const Moe& op, const MoeTable& table, const Binding& binding)
      : op_(op), table_(table), binding_(binding) {}

  Reference find() const {
    if (const auto own = in_mode(op_.quant, op_.quant)) return {own, Provenance::empirical};
    if (binding_.transfers.xshape)
      if (const auto near = near_shape(op_.quant, op_.quant)) return {near, Provenance::xshape};
    const QuantProfile& wanted = profile_of(op_.quant);
    const auto same = [&](QuantMode mode) {
      return profile_of(mode).bytes == wanted.bytes && profile_of(mode).multiplier == wanted.multiplier;
    };
    std::vector<QuantMode> siblings;
    for (const QuantMode mode : table_.modes())
      if (mode != op_.quant && same(mode)) siblings.push_back(mode);
    if (binding_.transfers.xquant)
      if (const auto sibling = nearest_of(siblings)) return {sibling, Provenance::xquant};
    if (!binding_.transfers.xprofile) return {};
    std::vector<QuantMode> others;
    for (const QuantMode mode : table_.modes())
      if (!same(mode) && peak_flops(binding_.system(), mode)) others.push_back(mode);
    const auto farness = [&](QuantMode mode) {
      return std::abs(profile_of(mode).bytes - wanted.bytes) +
             std::abs(profile_of(mode).multiplier - wanted.multiplier);
    };
    std::stable_sort(others.begin(), others.end(),
                     [&](QuantMode a, QuantMode b) { return farness(a) < farness(b); });
    for (const QuantMode mode : others)
      if (const auto other = any_shape(mode, mode))
        return {other, Provenance::xprofile, usual_moe_efficiency(op_.quant) / usual_moe_efficiency(mode)};
    return {};
  }

 private:
  std::shared_ptr<const Surface> in_mode(QuantMode mode, QuantMode sol_of) const {
    return table_.find(mode, table_.known_distribution(mode, op_.workload_distribution), shape_of(op_),
                       moe_sol(binding_.system(), sol_of, op_.is_gated));
  }

  std::shared_ptr<const Surface> any_shape(QuantMode mode, QuantMode sol_of) const {
    const auto exact = in_mode(mode, sol_of);
    return exact || !binding_.transfers.xshape ? exact : near_shape(mode, sol_of);
  }

  std::shared_ptr<const Surface> near_shape(QuantMode mode, QuantMode sol_of) const {
    return nearest({{mode}}, sol_of);
  }

  /// Of all modes together; with shapes of its own only where others may stand for them.
  std::shared_ptr<const Surface> nearest_of(const std::vector<QuantMode>& modes) const {
    if (binding_.transfers.xshape) return nearest(modes, op_.quant);
    for (const QuantMode mode : modes)
      if (const auto exact = in_mode(mode, op_.quant)) return exact;
    return nullptr;
  }

  std::shared_ptr<const Surface> nearest(const std::vector<QuantMode>& modes, QuantMode sol_of) const {
    const auto features = [](const MoeShape& s) {
      return std::vector<double>{double(s.topk), double(s.experts), double(s.hidden), double(s.inter)};
    };
    struct Candidate {
      QuantMode mode;
      std::string distribution;
      MoeShape shape;
    };
    std::vector<Candidate> candidates;
    std::vector<std::vector<double>> places;
    for (const QuantMode mode : modes) {
      const std::string distribution = table_.known_distribution(mode, op_.workload_distribution);
      for (const MoeShape& shape : table_.like(mode, distribution, shape_of(op_))) {
        candidates.push_back({mode, distribution, shape});
        places.push_back(features(shape));
      }
    }
    if (candidates.empty()) return nullptr;
    const Candidate& c = candidates[nearest_candidate(places, features(shape_of(op_)))];
    return table_.find(c.mode, c.distribution, c.shape, moe_sol(binding_.system(), sol_of, op_.is_gated));
  }

  const Moe& op_;
  const MoeTable& table_;
  const Binding& binding_;
};

class MoePricer final : public TablePricer {
 public:
  MoePricer(const Moe& op, const Binding& binding)
      : TablePricer(binding.mode),
        op_(op),
        shape_(shape_of(op)),
        sol_(moe_sol(binding.system(), op.quant, op.is_gated)) {
    balanced_ = op.enable_eplb && op.context && binding.database.backend() == "sglang";
    if (mode() == Mode::sol || mode() == Mode::sol_full) return;
    const MoeTable& table = binding.family<MoeFamily<false>>().table;
    const std::string distribution = table.known_distribution(op.quant, op.workload_distribution);
    why_missing_ = table.why_missing(op.quant, distribution, shape_);
    usual_.measured = table.find(op.quant, distribution, shape_, sol_);
    if (op.quant == QuantMode::nvfp4 && op.is_gated) {
      const MoeTable& small = binding.family<MoeFamily<true>>().table;
      low_latency_.measured =
          small.find(op.quant, small.known_distribution(op.quant, op.workload_distribution), shape_, sol_);
      low_latency_.reference.surface = low_latency_.measured;
    }
    if (mode() != Mode::silicon) usual_.reference = Ladder(op_, table, binding).find();
  }

  Price silicon(const PhasePoint& at) const override {
    const int64_t tokens = measured_tokens(at);
    const Surface* const curve = kernel_of(tokens).measured.get();
    if (curve == nullptr) return Price::failed(Failure::perf_data_not_available);
    // A single point says nothing about smaller steps.
    if (curve->points().size() == 1 && tokens < curve->points()[0].at[0])
      return Price::failed(Failure::interpolation_data_not_available);
    return curve->price({tokens});
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    const int64_t tokens = measured_tokens(at);
    return kernel_of(tokens).measured->ground({tokens});
  }

  Price empirical(const PhasePoint& at) const override {
    const int64_t tokens = tokens_of(at);
    const Reference& reference = kernel_of(tokens).reference;
    const auto utilisation = reference.surface ? reference.surface->utilisation({tokens}) : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    return empirical_price(sol_.parts(shape_, tokens).ms(), *utilisation * reference.scale,
                           reference.provenance);
  }

  SolParts speed_of_light(const PhasePoint& at) const override { return sol_.parts(shape_, tokens_of(at)); }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (!why_missing_.empty()) return why_missing_;
    return "the curve has one point and the question lies below it";
  }

 private:
  int64_t tokens_of(const PhasePoint& at) const { return at.tokens * op_.attention_dp_size; }

  /// Where the measured curve is asked.
  int64_t measured_tokens(const PhasePoint& at) const {
    return balanced_ ? int64_t(kBalancedShare * double(tokens_of(at))) : tokens_of(at);
  }

  /// What steps of that size run on.
  struct Kernel {
    std::shared_ptr<const Surface> measured;  // null: not measured
    Reference reference;                      // for estimates
  };
  const Kernel& kernel_of(int64_t tokens) const {
    return low_latency_.measured && tokens <= kLowLatencyTokens ? low_latency_ : usual_;
  }

  Moe op_;
  MoeShape shape_;
  MoeSol sol_;
  bool balanced_ = false;
  Kernel usual_, low_latency_;
  std::string why_missing_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Moe& op, const Binding& binding) {
  const MathType math = profile_of(op.quant).math;
  if (!peak_flops(binding.system(), math))
    return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
  return std::make_unique<MoePricer>(op, binding);
}

}  // namespace perfatlas::aic
