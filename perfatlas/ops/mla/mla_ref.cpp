// SPDX-License-Identifier: Apache-2.0
// Naive latent attention in double precision; judges every kernel's numbers.
#include <algorithm>

#include "perfatlas/ops/mla/mla.h"

namespace perfatlas {
namespace {

/// First element of the cached row of one position.
size_t cached_row(const AttentionShape& s, const HostOperand& page_table, int64_t sequence,
                  int64_t position) {
  const size_t slot = size_t(sequence * s.pages_per_sequence() + position / kPageTokens);
  return size_t((page_table.indices[slot] * kPageTokens + position % kPageTokens) * kMlaCached);
}

void write_new_tokens(const AttentionShape& s, const std::vector<float>& latent,
                      const HostOperand& page_table, std::vector<float>& cache) {
  for (int64_t sequence = 0; sequence < s.batch; ++sequence)
    for (int64_t token = 0; token < s.isl; ++token)
      std::copy_n(&latent[size_t((sequence * s.isl + token) * kMlaCached)], kMlaCached,
                  &cache[cached_row(s, page_table, sequence, s.step + token)]);
}

}  // namespace

void MlaContext::reference(std::vector<HostOperand>& data) const {
  const AttentionShape s = shape();
  write_new_tokens(s, data[latent_at].values, data[page_table_at], data[cache_at].values);
  const auto rows_of = [&](At operand, int64_t width) -> AttentionRow {
    return [s, width, &rows = data[operand].values](int64_t sequence, int64_t position, int64_t head) {
      return &rows[size_t(((sequence * s.context_tokens() + position) * s.heads + head) * width)];
    };
  };
  attention_rows_reference(s, data[q_at].values, rows_of(k_at, kMlaKey), rows_of(v_at, kMlaValue),
                           data[out_at].values);
}

void MlaGeneration::reference(std::vector<HostOperand>& data) const {
  const AttentionShape s = shape();
  std::vector<float>& cache = data[cache_at].values;
  write_new_tokens(s, data[latent_at].values, data[page_table_at], cache);
  const AttentionRow row = [&](int64_t sequence, int64_t position, int64_t) {
    return &cache[cached_row(s, data[page_table_at], sequence, position)];
  };
  attention_rows_reference(s, data[q_at].values, row, row, data[out_at].values);
}

}  // namespace perfatlas
