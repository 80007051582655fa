// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/bind_composite.h"

#include <algorithm>
#include <vector>

#include "perfatlas/aic/bind.h"

namespace perfatlas::aic {
namespace {

/// Ops in sequence.
class Group {
 public:
  Group(const std::vector<Op>& ops, const Binding& binding) {
    for (const Op& op : ops) pricers_.push_back(bind_op(op, binding));
  }

  Price price(const PhasePoint& at) const {
    Price sum;
    for (size_t i = 0; i < pricers_.size() && sum.ok(); ++i) {
      const Price price = pricers_[i]->price(at);
      if (i == 0)
        sum = price;
      else
        sum += price;
    }
    return sum;
  }

  std::string explain(const PhasePoint& at) const {
    for (const auto& pricer : pricers_)
      if (std::string why = pricer->explain(at); !why.empty()) return why;
    return {};
  }

  Ground ground(const PhasePoint& at) const {
    std::vector<Ground> parts;
    for (const auto& pricer : pricers_) parts.push_back(pricer->ground(at));
    return combined(parts);
  }

 private:
  std::vector<std::unique_ptr<const Pricer>> pricers_;
};

class OverlapPricer final : public Pricer {
 public:
  OverlapPricer(const Overlap& op, const Binding& binding)
      : a_(op.group_a, binding), b_(op.group_b, binding) {}

  Price price(const PhasePoint& at) const override {
    const Price a = a_.price(at), b = b_.price(at);
    Price both = a;
    both += b;  // energies, source, provenance, failure
    both.latency_ms = std::max(a.latency_ms, b.latency_ms);
    both.math_ms = std::max(a.math_ms, b.math_ms);
    both.memory_ms = std::max(a.memory_ms, b.memory_ms);
    return both;
  }

  std::string explain(const PhasePoint& at) const override {
    const std::string why = a_.explain(at);
    return why.empty() ? b_.explain(at) : why;
  }

  Ground ground(const PhasePoint& at) const override {
    if (!price(at).ok()) return {};
    const Ground both[] = {a_.ground(at), b_.ground(at)};
    return combined(both);
  }

 private:
  Group a_, b_;
};

class FallbackPricer final : public Pricer {
 public:
  FallbackPricer(const Fallback& op, const Binding& binding)
      : primary_(op.primary, as_measured(binding)), fallback_(op.fallback, binding) {}

  Price price(const PhasePoint& at) const override {
    const Price price = primary_.price(at);
    return lacks_data(price.failure) ? fallback_.price(at) : price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    const std::string why = primary_.explain(at);
    return why + (why.empty() ? "" : "; in its place: ") + fallback_.explain(at);
  }

  Ground ground(const PhasePoint& at) const override {
    if (!price(at).ok()) return {};
    return lacks_data(primary_.price(at).failure) ? fallback_.ground(at) : primary_.ground(at);
  }

 private:
  static Binding as_measured(const Binding& binding) {
    Binding measured = binding;
    if (measured.mode == Mode::hybrid) measured.mode = Mode::silicon;
    return measured;
  }
  Group primary_, fallback_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Overlap& op, const Binding& binding) {
  return std::make_unique<OverlapPricer>(op, binding);
}

std::unique_ptr<const Pricer> bind(const Fallback& op, const Binding& binding) {
  return std::make_unique<FallbackPricer>(op, binding);
}

}  // namespace perfatlas::aic
