// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_links.h"

#include <fmt/format.h>

namespace perfatlas {
namespace {

double bytes_of(const Row& row) { return row.c.op->work(row.c.values).activation_bytes_read; }

std::string origin_of(const Row& row) {
  return fmt::format("{} in {:.4g} ms", case_text(row.c), latency_ms(row));
}

}  // namespace

MeasuredLinks links_of(const std::vector<Row>& messages) {
  const Row *largest = nullptr, *smallest = nullptr;
  for (const Row& row : messages) {
    const double bytes = bytes_of(row);
    if (!(bytes > 0)) continue;
    const auto faster_than = [&](const Row& other) { return latency_ms(row) < latency_ms(other); };
    if (largest == nullptr || bytes > bytes_of(*largest) ||
        (bytes == bytes_of(*largest) && faster_than(*largest)))
      largest = &row;
    if (smallest == nullptr || bytes < bytes_of(*smallest) ||
        (bytes == bytes_of(*smallest) && faster_than(*smallest)))
      smallest = &row;
  }
  MeasuredLinks links;
  if (largest == nullptr) return links;
  constexpr double kMsPerS = 1e3;
  links.bandwidth = bytes_of(*largest) / latency_ms(*largest) * kMsPerS;
  links.latency_s = latency_ms(*smallest) / kMsPerS;
  links.bandwidth_origin = origin_of(*largest);
  links.latency_origin = origin_of(*smallest);
  return links;
}

}  // namespace perfatlas
