// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/pricer.h"

namespace perfatlas::aic {

Price TablePricer::price(const PhasePoint& at) const {
  switch (mode_) {
    case Mode::silicon:
      return silicon(at);
    case Mode::empirical:
      return empirical(at);
    case Mode::sol:
    case Mode::sol_full:
      return sol_price(at);
    case Mode::hybrid:
      break;
  }
  const Price measured = silicon(at);
  return lacks_data(measured.failure) ? empirical(at) : measured;
}

Ground TablePricer::ground(const PhasePoint& at) const {
  if (mode_ != Mode::silicon && mode_ != Mode::hybrid) return {};
  return silicon(at).ok() ? silicon_ground(at) : Ground{};
}

Price TablePricer::sol_price(const PhasePoint& at) const { return sol_price_of(speed_of_light(at)); }

}  // namespace perfatlas::aic
