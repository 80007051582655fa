// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/surface_pricer.h"

namespace perfatlas::aic {
namespace {

class SurfacePricer final : public TablePricer {
 public:
  SurfacePricer(SurfaceQuestion question, Mode mode) : TablePricer(mode), question_(std::move(question)) {}

  Price silicon(const PhasePoint& at) const override {
    if (!question_.surface) return Price::failed(Failure::perf_data_not_available);
    Price price = question_.surface->price(question_.place(at));
    if (question_.share) price *= question_.share(at);
    return price;
  }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation =
        question_.surface ? question_.surface->utilisation(question_.place(at)) : std::nullopt;
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

}  // namespace

std::unique_ptr<const Pricer> surface_pricer(SurfaceQuestion question, Mode mode) {
  return std::make_unique<SurfacePricer>(std::move(question), mode);
}

}  // namespace perfatlas::aic
