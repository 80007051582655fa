// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

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

/// Puts rows that differ only in how batch and sequence share the tokens beside each other.
class TokenGroups {
 public:
  TokenGroups(const CheckedRows& rows, const TokenColumns& columns) : rows_(rows), columns_(columns) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const FieldValues values = rows.values(i);
      tokens_.push_back(values[columns.batch] * values[columns.sequence]);
    }
  }

  /// Slowest over fastest row of each group of several.
  std::vector<double> spreads() const {
    std::vector<uint32_t> order(rows_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [this](uint32_t a, uint32_t b) { return compare(a, b) < 0; });
    std::vector<double> spreads;
    for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
      double least_ms = rows_.latency_ms(order[begin]), most_ms = least_ms;
      for (end = begin + 1; end < order.size() && compare(order[begin], order[end]) == 0; ++end) {
        least_ms = std::min(least_ms, rows_.latency_ms(order[end]));
        most_ms = std::max(most_ms, rows_.latency_ms(order[end]));
      }
      if (end - begin > 1) spreads.push_back(most_ms / least_ms);
    }
    return spreads;
  }

 private:
  /// Recorded fields that follow from the others (num_tokens) are equal in a group anyway.
  int compare(uint32_t a, uint32_t b) const {
    const auto order = [](auto left, auto right) { return left == right ? 0 : left < right ? -1 : 1; };
    int side = order(tokens_[a], tokens_[b]);
    for (size_t f = 0; side == 0 && f < rows_.op().fields.size(); ++f)
      if (f != columns_.batch && f != columns_.sequence)
        side = order(rows_.field_code(f, a), rows_.field_code(f, b));
    if (side == 0) side = order(rows_.kernel_code(a), rows_.kernel_code(b));
    return side == 0 ? order(rows_.state(a), rows_.state(b)) : side;
  }

  const CheckedRows& rows_;
  TokenColumns columns_;
  std::vector<int64_t> tokens_;  // by row
};

}  // namespace

void add_token_spread(const std::vector<CheckedRows>& ops, ValidateReport& report) {
  for (const CheckedRows& rows : ops) {
    const auto columns = token_columns(rows.op());
    if (!columns) continue;
    std::vector<double> values = TokenGroups(rows, *columns).spreads();
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    report.token_spread.push_back(
        {std::string(rows.op().info.id), values.size(), quantile(values, 0.5), values.back()});
  }
}

}  // namespace perfatlas
