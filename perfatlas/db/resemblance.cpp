// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/resemblance.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/interp/atlas_op.h"
#include "perfatlas/ops/all_resemblances.h"

namespace perfatlas {
namespace {

/// Null: the op declares none.
const OpResemblance* declared(const OpType& op) {
  static const std::vector<OpResemblance> all = all_resemblances();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const OpResemblance& r) { return r.op_id == op.info.id; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

TransferRule transfer_rule(const OpType& op) {
  const OpResemblance* const own = declared(op);
  return own == nullptr ? TransferRule() : own->resemblance.rule;
}

std::optional<SliceKey> transfer_group(const OpType& op, const FieldValues& values) {
  const OpResemblance* const own = declared(op);
  if (own == nullptr) return std::nullopt;
  const auto shape = own->resemblance.shape;
  SliceKey group;
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].role == Role::exact &&
        std::find(shape.begin(), shape.end(), op.fields[i].column) == shape.end())
      group.push_back(values[i]);
  return group;
}

TransferShape transfer_shape(const OpType& op, const FieldValues& values, const SolContext& context) {
  return {declared(op)->likeness(values), [&op, values, context](const double* at) {
            FieldValues there = values;
            for (size_t d = 0; d < op.axes.size(); ++d) op.axes[d].set(there, std::llround(at[d]));
            return sol_parts(op, there, context);
          }};
}

SliceKey layer_of(const OpType& op, const FieldValues& values) {
  SliceKey layer;
  for (const std::string_view name : declared(op)->resemblance.layer) {
    const size_t field = *op.find_field(name);
    layer.push_back(op.key_of != nullptr ? op.key_of(values, field) : values[field]);
  }
  return layer;
}

}  // namespace perfatlas
