// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/surface_pricer.h"

#include <algorithm>
#include <array>

#include "perfatlas/aic/context_chunks.h"

namespace perfatlas::aic {
namespace {

class SurfacePricer final : public TablePricer {
 public:
  SurfacePricer(SurfaceQuestion question, Mode mode) : TablePricer(mode), question_(std::move(question)) {}

  Price silicon(const PhasePoint& at) const override {
    if (!question_.surface) return Price::failed(Failure::perf_data_not_available);
    Price price = question_.surface->price(question_.place(at));
    if (question_.share) price *= question_.share(at);
    if (question_.excess_ms && price.ok() && price.latency_ms > 0)
      price *= std::max(0.0, price.latency_ms - question_.excess_ms(at)) / price.latency_ms;
    return price;
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return question_.surface->ground(question_.place(at));
  }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation = question_.utilisation ? question_.utilisation(at)
                             : question_.surface   ? question_.surface->utilisation(question_.place(at))
                                                   : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    return empirical_price(question_.sol(at).ms(), *utilisation, Provenance::empirical);
  }

  SolParts speed_of_light(const PhasePoint& at) const override { return question_.sol(at); }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    return question_.surface ? question_.surface->why_missing(question_.place(at)) : question_.why_missing;
  }

 private:
  SurfaceQuestion question_;
};

class ZigzagPricer final : public Pricer {
 public:
  ZigzagPricer(std::unique_ptr<const Pricer> whole, int64_t cp_size)
      : whole_(std::move(whole)), cp_size_(cp_size) {}

  Price price(const PhasePoint& at) const override {
    const auto [head, tail] = zigzag_chunks(at, cp_size_);
    Price sum = whole_->price(head);
    sum += whole_->price(tail);
    return sum;
  }
  std::string explain(const PhasePoint& at) const override {
    const auto [head, tail] = zigzag_chunks(at, cp_size_);
    const std::string why = whole_->explain(head);
    return why.empty() ? whole_->explain(tail) : why;
  }
  Ground ground(const PhasePoint& at) const override {
    const auto [head, tail] = zigzag_chunks(at, cp_size_);
    return combined(std::array{whole_->ground(head), whole_->ground(tail)});
  }

 private:
  std::unique_ptr<const Pricer> whole_;
  int64_t cp_size_;
};

}  // namespace

std::unique_ptr<const Pricer> zigzag_pricer(std::unique_ptr<const Pricer> whole, int64_t cp_size) {
  return std::make_unique<ZigzagPricer>(std::move(whole), cp_size);
}

std::unique_ptr<const Pricer> surface_pricer(SurfaceQuestion question, Mode mode) {
  return std::make_unique<SurfacePricer>(std::move(question), mode);
}

}  // namespace perfatlas::aic
