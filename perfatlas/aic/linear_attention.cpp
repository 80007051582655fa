// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/linear_attention.h"

#include <algorithm>
#include <cmath>

namespace perfatlas::aic {
namespace {

class LinearPricer final : public Pricer {
 public:
  explicit LinearPricer(LinearQuestion question) : question_(std::move(question)) {}

  Price price(const PhasePoint& at) const override {
    const Coordinates place = place_of(at);
    if (question_.surface) {
      const Price measured = question_.surface->price(place);
      if (measured.ok()) return measured;
    }
    const double x = question_.phase == SsmPhase::generation ? double(place[0]) : double(place[0] * place[1]);
    const double bytes = question_.bytes({x, double(place[0]), double(place[1])});
    return sol_price_of({.memory_ms = bytes / question_.bandwidth * 1e3});
  }
  std::string explain(const PhasePoint&) const override { return {}; }
  Ground ground(const PhasePoint& at) const override {
    return question_.surface ? question_.surface->ground(place_of(at)) : Ground{};
  }

 private:
  Coordinates place_of(const PhasePoint& at) const {
    if (question_.phase == SsmPhase::generation) return {at.batch, 1};
    if (question_.phase == SsmPhase::context) return {at.batch, at.s};
    const int64_t draft = std::max<int64_t>(question_.draft_tokens, 1);
    // Half to even, as the default rounding mode has it.
    return {std::max<int64_t>(1, int64_t(std::nearbyint(double(at.batch) / double(draft)))), draft};
  }

  LinearQuestion question_;
};

}  // namespace

double convolution_bytes(double x, double channels, double width) {
  return x * channels * (width + 1) * 2 + x * channels * 2;
}

std::unique_ptr<const Pricer> linear_pricer(LinearQuestion question, Mode mode) {
  if (question.seq_split != 1)
    return std::make_unique<FailedPricer>(Failure::invalid_engine_config,
                                          "linear attention is not split over ranks: leave out seq_split");
  if (mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(
        Failure::sol_not_implemented, "the speed of light of this kernel has no parts: it is memory alone");
  return std::make_unique<LinearPricer>(std::move(question));
}

SolFunction linear_sol(SsmPhase phase, std::function<double(const LinearLoad&)> bytes, double bandwidth) {
  return [phase, bytes = std::move(bytes), bandwidth](const Coordinates& at) {
    const double batch = double(at[0]), seq = phase == SsmPhase::generation ? 1 : double(at[1]);
    return bytes({batch * seq, batch, seq}) / bandwidth * 1e3;
  };
}

}  // namespace perfatlas::aic
