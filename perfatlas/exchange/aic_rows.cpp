// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_rows.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/exchange/aic_vocabulary.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

using RowKey = std::vector<int64_t>;

RowKey key_of(const Row& row) {
  const OpType& op = *row.c.op;
  RowKey key = op.slice_of(row.c.values);
  for (const AxisType& axis : op.axes) key.push_back(axis.get(row.c.values));
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].distinguishes) key.push_back(row.c.values[i]);
  if (op.layout.merge.by_kernel && !row.quality) key.push_back(Symbol(row.kernel_source).id());
  return key;
}

/// Readers give rows of some kernels another meaning (OpType::published); those must come back as what they are.
bool read_back_as_written(const Row& row) {
  const OpType& op = *row.c.op;
  if (op.published == nullptr) return true;
  return op.published(row.c.values, Symbol(row.kernel_source).id()) == row.c.values;
}

/// Why the row is left out whatever the others are, or empty.
std::string why_left_out(const Row& row, const AicRowRules& rules) {
  if (row.quality && row.quality->cache_state != rules.cache_state)
    return fmt::format("measured in cache state {}, not {}", name_of(row.quality->cache_state),
                       name_of(rules.cache_state));
  if (!rules.kernel.empty() && row.kernel_source != rules.kernel)
    return fmt::format("measured with kernel {}, not {}", row.kernel_source, rules.kernel);
  if (std::string reason = why_unknown_to_aic(row.c); !reason.empty()) return reason;
  if (!read_back_as_written(row)) return "aiconfigurator reads such rows as those of another op";
  return {};
}

}  // namespace

AicRows rows_for_aic(const OpType& op, const std::vector<Row>& rows, const AicRowRules& rules) {
  AicRows result;
  std::map<RowKey, size_t> places;
  for (const Row& row : rows) {
    PERFATLAS_ASSERT(row.c.op == &op);
    if (const std::string reason = why_left_out(row, rules); !reason.empty()) {
      ++result.left_out[reason];
      continue;
    }
    const auto [place, is_new] = places.try_emplace(key_of(row), result.rows.size());
    if (is_new) {
      result.rows.push_back(row);
      continue;
    }
    ++result.left_out[row.quality ? "slower than another kernel or launch mode" : "its key occurs twice"];
    Row& kept = result.rows[place->second];
    if (row.quality && latency_ms(row) < latency_ms(kept)) kept = row;
  }
  if (op.layout.merge.by_kernel)
    for (Row& row : result.rows)
      if (row.quality) row.kernel_source = kAicDefaultKernel;
  return result;
}

std::vector<Row> all_reduces_of(const OpType& custom_all_reduce, const std::vector<Row>& collective) {
  std::vector<Row> rows;
  for (const Row& row : collective) {
    const auto call = decode<Collective>(row.c.values);
    if (call.kind != CollectiveKind::all_reduce || bits_of(dtype_of(call.dtype)) != 16) continue;
    Row made = row;
    made.c = {
        &custom_all_reduce,
        encode(CustomAllReduce{.dtype = MessageType::bf16, .ranks = call.ranks, .elements = call.elements})};
    if (made.quality) made.quality->case_id = case_id(made.c);
    rows.push_back(std::move(made));
  }
  return rows;
}

}  // namespace perfatlas
