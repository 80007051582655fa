// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_moe/expert_case.h"

#include <algorithm>

namespace perfatlas {

std::string_view ExpertLoad::why_invalid() const {
  if (tokens < 1 || hidden < 1 || inter < 1 || topk < 1 || slots < 1)
    return "tokens, hidden, inter, topk and experts must be positive";
  return tp < 1 || ep < 1 ? "tp and ep must be positive" : std::string_view{};
}

Work ExpertLoad::work() const {
  constexpr double kMatrices = 3;  // gate, up and down
  const double assignments = tokens * double(topk) / double(ep);
  const double elements = kMatrices * double(hidden) * double(inter) / double(tp);
  const QuantTraits quant = traits_of(dtype);
  constexpr double kRowBytes = 2;  // 16-bit results
  return {
      .flops = 2 * assignments * elements,
      .weight_bytes_read = std::min(double(slots) / double(ep), assignments) * elements * quant.weight_bytes,
      .activation_bytes_read = assignments * double(hidden) * bytes_of(quant.activation),
      .bytes_written = assignments * double(hidden) * kRowBytes,
      .math = quant.math};
}

}  // namespace perfatlas
