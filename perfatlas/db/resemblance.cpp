// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/resemblance.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/interp/atlas_op.h"

namespace perfatlas {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 6> kMoeShape{"hidden_size", "inter_size",  "topk",
                                                    "num_experts", "moe_tp_size", "moe_ep_size"};
constexpr std::array<std::string_view, 4> kMoeLayer{"hidden_size", "inter_size", "topk", "num_experts"};
constexpr std::array<std::string_view, 2> kAttentionShape{"num_key_value_heads", "head_dim"};
constexpr double kMultiHead = 32;  // the kv heads that multi-head attention is taken for

bool is_moe(const OpType& op) { return op.info.id == "moe"; }
bool is_attention(const OpType& op) {
  return op.info.id == "attention_context" || op.info.id == "attention_generation";
}

double number(const OpType& op, const FieldValues& values, std::string_view column) {
  return double(values[*op.find_field(column)]);
}

Names shape_of(const OpType& op) {
  if (is_moe(op)) return kMoeShape;
  if (is_attention(op)) return kAttentionShape;
  return {};
}

std::vector<double> features_of(const OpType& op, const FieldValues& v) {
  const auto log_of = [&](std::string_view column) { return std::log2(number(op, v, column)); };
  if (is_moe(op))
    return {log_of("hidden_size"), log_of("inter_size") - log_of("moe_tp_size"),
            0.5 * (log_of("num_experts") - log_of("moe_ep_size")), log_of("topk"), log_of("moe_ep_size")};
  const bool multi_head = v[*op.find_field("num_key_value_heads")] == v[*op.find_field("num_heads")];
  return {log_of("head_dim"), multi_head ? std::log2(kMultiHead) : log_of("num_key_value_heads"),
          multi_head ? std::sqrt(2.0) : 0.0};
}

}  // namespace

std::optional<SliceKey> transfer_group(const OpType& op, const FieldValues& values) {
  const Names shape = shape_of(op);
  if (shape.empty()) return std::nullopt;
  SliceKey group;
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].role == Role::exact &&
        std::find(shape.begin(), shape.end(), op.fields[i].column) == shape.end())
      group.push_back(values[i]);
  return group;
}

TransferShape transfer_shape(const OpType& op, const FieldValues& values, const SolContext& context) {
  TransferShape shape{.features = features_of(op, values)};
  if (is_moe(op)) shape.scale = number(op, values, "topk") / number(op, values, "moe_ep_size");
  shape.sol = [&op, values, context](const double* at) {
    FieldValues there = values;
    for (size_t d = 0; d < op.axes.size(); ++d) op.axes[d].set(there, std::llround(at[d]));
    return sol_parts(op, there, context);
  };
  return shape;
}

TransferRule transfer_rule(const OpType& op) {
  if (is_attention(op)) return {.nearest = 3, .softening = 0.1};
  return {};
}

SliceKey layer_of(const OpType& op, const FieldValues& values) {
  SliceKey layer;
  const Names names = is_moe(op) ? Names(kMoeLayer) : Names(kAttentionShape);
  for (const std::string_view name : names) {
    const size_t field = *op.find_field(name);
    layer.push_back(op.key_of != nullptr ? op.key_of(values, field) : values[field]);
  }
  return layer;
}

}  // namespace perfatlas
