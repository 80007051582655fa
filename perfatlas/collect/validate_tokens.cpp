// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "perfatlas/collect/validate_impl.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

/// Positions of the columns whose product is the tokens of a step; nothing when the op does not have both.
struct TokenColumns {
  size_t batch, sequence;
};

std::optional<TokenColumns> token_columns(const OpType& op) {
  const auto batch = op.find_field("batch_size");
  auto sequence = op.find_field("isl");
  if (!sequence) sequence = op.find_field("seq_len");
  if (!batch || !sequence) return std::nullopt;
  return TokenColumns{*batch, *sequence};
}

/// Rows that differ only in how batch and sequence share the tokens.
using TokenKey = std::tuple<const OpType*, FieldValues, std::string, int>;

struct TokenGroup {
  double least_ms = 0, most_ms = 0;
  size_t rows = 0;
};

std::map<TokenKey, TokenGroup> groups_of(const std::vector<const MeasuredRow*>& rows) {
  std::map<TokenKey, TokenGroup> groups;
  for (const MeasuredRow* measured : rows) {
    const Row& row = measured->row;
    const auto columns = token_columns(*row.c.op);
    if (!columns) continue;
    FieldValues rest = row.c.values;
    rest[columns->batch] *= rest[columns->sequence];
    rest[columns->sequence] = 0;
    // Recorded fields that follow from the others (num_tokens) are equal in a group anyway.
    const int state = row.quality ? int(row.quality->cache_state) : -1;
    TokenGroup& group = groups[{row.c.op, rest, row.kernel_source, state}];
    const double ms = latency_ms(row);
    group.least_ms = group.rows == 0 ? ms : std::min(group.least_ms, ms);
    group.most_ms = std::max(group.most_ms, ms);
    ++group.rows;
  }
  return groups;
}

}  // namespace

void add_token_spread(const std::vector<const MeasuredRow*>& rows, ValidateReport& report) {
  std::map<const OpType*, std::vector<double>> spreads;
  for (const auto& [key, group] : groups_of(rows))
    if (group.rows > 1) spreads[std::get<0>(key)].push_back(group.most_ms / group.least_ms);
  for (auto& [op, values] : spreads) {
    std::sort(values.begin(), values.end());
    report.token_spread.push_back(
        {std::string(op->info.id), values.size(), quantile(values, 0.5), values.back()});
  }
}

}  // namespace perfatlas
