// SPDX-License-Identifier: Apache-2.0
// Naive results over all ranks, sums in double precision; judges every library's numbers.
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {
namespace {

/// int8 sums wrap as two's complement does; a double holds the sum of any number of ranks exactly.
float stored(double sum, DType dtype) {
  if (dtype != DType::int8) return float(sum);
  return float(int8_t(uint8_t(int64_t(sum) & 0xFF)));
}

}  // namespace

void Collective::reference(std::vector<HostOperand>& data) const {
  const std::vector<float>& send = data[0].values;
  std::vector<float>& recv = data[1].values;
  const auto group = size_t(ranks);
  const size_t sent = send.size() / group, received = recv.size() / group;
  const size_t part = size_t(elements) / group;
  const bool sums = kind == CollectiveKind::all_reduce || kind == CollectiveKind::reduce_scatter;
  for (size_t rank = 0; rank < group; ++rank)
    for (size_t i = 0; i < received; ++i) {
      float& result = recv[rank * received + i];
      if (sums) {
        const size_t at = kind == CollectiveKind::reduce_scatter ? rank * part + i : i;
        double sum = 0;
        for (size_t from = 0; from < group; ++from) sum += double(send[from * sent + at]);
        result = stored(sum, dtype_of(dtype));
      } else {
        const size_t from = i / part, within = i % part;
        const size_t at = kind == CollectiveKind::all_to_all ? rank * part + within : within;
        result = send[from * sent + at];
      }
    }
}

void P2p::reference(std::vector<HostOperand>& data) const {
  const auto group = size_t(ranks), count = size_t(elements);
  for (size_t rank = 0; rank < group; ++rank)
    for (size_t i = 0; i < count; ++i)
      data[1].values[rank * count + i] = data[0].values[(rank + group - 1) % group * count + i];
}

void CustomAllReduce::reference(std::vector<HostOperand>& data) const { as_collective().reference(data); }

}  // namespace perfatlas
