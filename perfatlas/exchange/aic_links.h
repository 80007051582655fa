// SPDX-License-Identifier: Apache-2.0
// What measured messages say about the links of a machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "perfatlas/store/row.h"

namespace perfatlas {

struct MeasuredLinks {
  std::optional<double> bandwidth;               // byte/s per rank and direction
  std::optional<double> latency_s;               // of a message
  std::string bandwidth_origin, latency_origin;  // "p2p of 67108864 bytes between 2 ranks"
};

/// From rows of p2p, collective or custom_all_reduce. Bandwidth: the bytes that a rank has to send in a ring (Work of
/// the op) over the latency, of the row that sends most; of several the fastest. Latency: that of the row that sends
/// least. Nothing is known without rows.
MeasuredLinks links_of(const std::vector<Row>& messages);

}  // namespace perfatlas
