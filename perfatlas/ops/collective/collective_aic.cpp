// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/collective/collective_aic.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/collective/collective_aic_tables.h"

namespace perfatlas::aic {
namespace {

constexpr int64_t kRackScaleNode = 72;  // GPUs of a node whose large groups use NCCL's all-reduce
constexpr int64_t kCustomInRack = 4;    // the largest custom all-reduce there

/// How much longer a group of `gpus` takes than a measured one of `measured`.
double growth(const AicSystem& system, int64_t gpus, int64_t measured) {
  if (gpus <= measured) return 1;
  const double n = double(gpus), m = double(measured);
  return ((n - 1) / n) * (m / (m - 1)) * (system.bandwidth(measured) / system.bandwidth(gpus));
}

int64_t shared_tokens(int64_t tokens, int64_t seq_split) { return (tokens + seq_split - 1) / seq_split; }

}  // namespace

CollectiveCost CollectiveCost::all_reduce(int64_t gpus, const Binding& binding) {
  const AicSystem& system = binding.system();
  if (system.gpus_per_node >= kRackScaleNode && gpus > kCustomInRack)
    return nccl("all_reduce", QuantMode::half, gpus, binding);
  CollectiveCost cost;
  cost.mode_ = binding.mode;
  cost.alone_ = gpus <= 1;
  if (cost.alone_) return cost;
  cost.sol_in_parts_ = false;
  cost.sol_ms_per_element_ = all_reduce_sol_ms(system, gpus);
  if (binding.mode == Mode::sol || binding.mode == Mode::sol_full) return cost;
  const AllReduceTable& table = binding.family<AllReduceTable>();
  const int64_t largest = table.largest_group();
  const int64_t measured = largest > 0 ? std::min(gpus, largest) : gpus;
  cost.surface_ = table.find(measured);
  cost.beyond_ = growth(system, gpus, measured);
  if (gpus > measured) cost.provenance_ = Provenance::xshape;
  if (!cost.surface_) cost.why_missing_ = table.why_missing(measured);
  return cost;
}

CollectiveCost CollectiveCost::nccl(const std::string& operation, QuantMode dtype, int64_t gpus,
                                    const Binding& binding) {
  const AicSystem& system = binding.system();
  CollectiveCost cost;
  cost.mode_ = binding.mode;
  cost.alone_ = gpus <= 1;
  if (cost.alone_ && (binding.mode == Mode::sol || binding.mode == Mode::sol_full))
    cost.source_alone_ = Source::sol;
  if (cost.alone_) return cost;
  cost.sol_ms_per_element_ = nccl_sol_ms(system, operation, dtype, gpus);
  if (binding.mode == Mode::sol || binding.mode == Mode::sol_full) return cost;
  const NcclTable& table = binding.family<NcclTable>();
  const int64_t largest = table.largest_group(operation, dtype);
  const int64_t measured = largest > 0 ? std::min(gpus, largest) : gpus;
  cost.surface_ = table.find(operation, dtype, measured);
  cost.beyond_ = growth(system, gpus, measured);
  if (gpus > measured) cost.provenance_ = Provenance::xshape;
  if (!cost.surface_) cost.why_missing_ = table.why_missing(operation, dtype, measured);
  return cost;
}

Price CollectiveCost::price(double elements) const {
  if (alone_) return {.source = source_alone_};
  const double sol = sol_ms_per_element_ * elements;
  if (mode_ == Mode::sol || mode_ == Mode::sol_full)
    return {.latency_ms = sol, .source = Source::sol, .memory_ms = sol_in_parts_ ? sol : 0};
  if (mode_ == Mode::empirical) return empirical(elements);
  const Price measured = silicon(elements);
  return mode_ == Mode::hybrid && lacks_data(measured.failure) ? empirical(elements) : measured;
}

Price CollectiveCost::silicon(double elements) const {
  if (!surface_) return Price::failed(Failure::perf_data_not_available);
  // Latency is linear between whole numbers of elements.
  const auto whole = int64_t(elements);
  const double rest = elements - double(whole);
  Price price = surface_->price({whole});
  if (rest > 0) {
    Price above = surface_->price({whole + 1});
    above *= rest;
    price *= 1 - rest;
    price += above;
  }
  price *= beyond_;
  return price;
}

Price CollectiveCost::empirical(double elements) const {
  const auto utilisation = surface_ ? surface_->utilisation_between(elements) : std::nullopt;
  if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
  return empirical_price(sol_ms_per_element_ * elements, *utilisation, provenance_);
}

Ground CollectiveCost::ground(double elements) const {
  return surface_ && mode_ != Mode::empirical ? surface_->ground({int64_t(elements)}) : Ground{};
}

std::string CollectiveCost::explain(double elements) const {
  if (price(elements).ok()) return {};
  return surface_ ? surface_->why_missing({std::llround(elements)}) : why_missing_;
}

namespace {

/// A collective of what the tokens of a step carry.
class CollectivePricer final : public Pricer {
 public:
  CollectivePricer(CollectiveCost cost, double elements_per_token, int64_t seq_split)
      : cost_(std::move(cost)), elements_per_token_(elements_per_token), seq_split_(seq_split) {}

  Price price(const PhasePoint& at) const override { return cost_.price(elements(at)); }
  std::string explain(const PhasePoint& at) const override { return cost_.explain(elements(at)); }
  Ground ground(const PhasePoint& at) const override { return cost_.ground(elements(at)); }

 private:
  double elements(const PhasePoint& at) const {
    return double(shared_tokens(at.tokens, seq_split_)) * elements_per_token_;
  }
  CollectiveCost cost_;
  double elements_per_token_;
  int64_t seq_split_;
};

class P2pPricer final : public Pricer {
 public:
  P2pPricer(const P2p& op, const Binding& binding)
      : op_(op), binding_mode_(binding.mode), system_(binding.system()) {}

  Price price(const PhasePoint& at) const override {
    if (op_.pp_size <= 1) return {};
    const double bytes = double(shared_tokens(at.tokens, op_.seq_split) * op_.hidden_size) * 2;
    const double link_ms = bytes / system_.inter_node_bw * 1e3;
    if (binding_mode_ == Mode::sol || binding_mode_ == Mode::sol_full)
      return sol_price_of({.memory_ms = link_ms});
    return {.latency_ms = (bytes / system_.inter_node_bw + system_.p2p_latency_s.value_or(0)) * 1e3,
            .source = Source::empirical};
  }
  std::string explain(const PhasePoint&) const override { return {}; }

 private:
  P2p op_;
  Mode binding_mode_;
  const AicSystem& system_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const CustomAllReduce& op, const Binding& binding) {
  return std::make_unique<CollectivePricer>(CollectiveCost::all_reduce(op.tp_size, binding),
                                            double(op.hidden_size), op.seq_split);
}

std::unique_ptr<const Pricer> bind(const Nccl& op, const Binding& binding) {
  return std::make_unique<CollectivePricer>(
      CollectiveCost::nccl(op.operation, op.dtype, op.num_gpus, binding), op.elements_per_token,
      op.seq_split);
}

std::unique_ptr<const Pricer> bind(const P2p& op, const Binding& binding) {
  return std::make_unique<P2pPricer>(op, binding);
}

}  // namespace perfatlas::aic
