// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_aic_table.h"

#include <algorithm>
#include <array>

#include "perfatlas/aic/roofline.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { dtype, tokens, hidden, inter, topk, experts, tp, ep, distribution };

/// Places in a TableKey.
enum KeyPlace : size_t {
  dtype_place,
  distribution_place,
  topk_place,
  experts_place,
  hidden_place,
  inter_place,
  tp_place,
  ep_place,
  matrices_place,  // of the memo alone
  sol_place
};

constexpr std::string_view kLowLatencyKernel = "moe_torch_flow_min_latency";
constexpr std::string_view kLowLatencyOp = "moe_low_latency";  // its rows are an op of their own

struct UsualEfficiency {
  double bytes, multiplier, efficiency;
};
constexpr std::array<UsualEfficiency, 9> kUsualEfficiencies{{{2, 1, .53},
                                                             {1, 1, .45},
                                                             {9.0 / 16, 1, .07},
                                                             {.5, 1, .07},
                                                             {1, 2, .40},
                                                             {.5, 2, .15},
                                                             {1, 4, .30},
                                                             {.5, 4, .23},
                                                             {9.0 / 16, 4, .23}}};
constexpr double kOtherEfficiency = .30;

}  // namespace

SolParts MoeSol::parts(const MoeShape& shape, int64_t token_count) const {
  const int64_t routed = token_count * shape.topk, here = routed / shape.ep;
  const int64_t features = shape.hidden * shape.inter * matrices;
  const double operations = double(routed * features * 2 / shape.ep / shape.tp);
  const int64_t elements = here * shape.hidden * 2 + here * shape.inter * matrices / shape.tp +
                           features / shape.tp * std::min(shape.experts / shape.ep, here);
  return {operations / flops * 1e3, bytes * double(elements) / bandwidth * 1e3};
}

MoeSol moe_sol(const AicSystem& system, QuantMode quant, bool gated) {
  return {*peak_flops(system, quant), profile_of(quant).bytes, system.mem_bw, gated ? 3 : 2};
}

double usual_moe_efficiency(QuantMode quant) {
  const QuantProfile& profile = profile_of(quant);
  for (const UsualEfficiency& usual : kUsualEfficiencies)
    if (usual.bytes == profile.bytes && usual.multiplier == profile.multiplier) return usual.efficiency;
  return kOtherEfficiency;
}

MoeTable::MoeTable(const Database& database, SharedLayer shared, bool low_latency)
    : rows_(database.rows(low_latency ? kLowLatencyOp : "moe", shared)),
      fields_(*rows_, {"moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk", "num_experts",
                       "moe_tp_size", "moe_ep_size", "distribution"}),
      index_(database.table_name("moe"), rows_,
             {fields_.part(dtype), fields_.part(distribution), fields_.part(topk), fields_.part(experts),
              fields_.part(hidden), fields_.part(inter), fields_.part(tp), fields_.part(ep)},
             [this, low_latency](uint32_t row, TableKey& key) {
               if ((rows_->kernel(row).text() == kLowLatencyKernel) != low_latency) return false;
               key = {fields_(row, dtype),  fields_(row, distribution),
                      fields_(row, topk),   fields_(row, experts),
                      fields_(row, hidden), fields_(row, inter),
                      fields_(row, tp),     fields_(row, ep)};
               return true;
             }) {
  for (const TableIndex::Group& group : index_.groups()) {
    const auto mode = fields_.mode_of(dtype, group.key[dtype_place]);
    if (mode && std::find(modes_.begin(), modes_.end(), *mode) == modes_.end()) modes_.push_back(*mode);
  }
}

TableKey MoeTable::key_of(QuantMode quant, const std::string& distribution_name,
                          const MoeShape& shape) const {
  return {fields_.value_of(dtype, name_of(quant)).value_or(-1),
          fields_.value_of(distribution, distribution_name).value_or(-1),
          shape.topk,
          shape.experts,
          shape.hidden,
          shape.inter,
          shape.tp,
          shape.ep};
}

std::string MoeTable::known_distribution(QuantMode quant, const std::string& wanted) const {
  const TableKey key = key_of(quant, wanted, {});
  for (const TableIndex::Group& group : index_.groups())
    if (group.key[dtype_place] == key[dtype_place] &&
        group.key[distribution_place] == key[distribution_place])
      return wanted;
  return "uniform";
}

std::shared_ptr<const Surface> MoeTable::find(QuantMode quant, const std::string& distribution_name,
                                              const MoeShape& shape, const MoeSol& sol) const {
  const TableKey key = key_of(quant, distribution_name, shape);
  const TableIndex::Group* group = index_.find(key);
  if (group == nullptr) return nullptr;
  TableKey memo_key = key;
  memo_key[matrices_place] = sol.matrices;
  memo_key[sol_place] = int64_t(sol.flops / 1e6) * 16 + int64_t(sol.bytes * 4);
  return surfaces_.get(memo_key, [&] {
    PointList points(*rows_);
    for (const uint32_t row : group->rows) points.add({fields_(row, tokens)}, row);
    return std::make_shared<const Surface>(
        AxisLayout{}, std::move(points),
        [shape, sol](const Coordinates& at) { return sol.parts(shape, at[0]).ms(); });
  });
}

std::vector<MoeShape> MoeTable::like(QuantMode quant, const std::string& distribution_name,
                                     const MoeShape& shape) const {
  const TableKey wanted = key_of(quant, distribution_name, shape);
  std::vector<MoeShape> shapes;
  for (const TableIndex::Group& group : index_.groups()) {
    const TableKey& key = group.key;
    if (key[dtype_place] == wanted[dtype_place] && key[distribution_place] == wanted[distribution_place] &&
        key[tp_place] == shape.tp && key[ep_place] == shape.ep)
      shapes.push_back(
          {key[topk_place], key[experts_place], key[hidden_place], key[inter_place], shape.tp, shape.ep});
  }
  return shapes;
}

std::string MoeTable::why_missing(QuantMode quant, const std::string& distribution_name,
                                  const MoeShape& shape) const {
  return index_.why_missing(key_of(quant, distribution_name, shape));
}

}  // namespace perfatlas::aic
