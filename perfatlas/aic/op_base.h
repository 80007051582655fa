// SPDX-License-Identifier: Apache-2.0
// What every op of the engine has in common.
#pragma once

#include <cstdint>
#include <string>

#include "perfatlas/aic/quant_mode.h"

namespace perfatlas::aic {

struct OpBase {
  std::string name;         // in breakdowns
  double scale_factor = 1;  // on latency and energy: usually the number of layers
};

}  // namespace perfatlas::aic
