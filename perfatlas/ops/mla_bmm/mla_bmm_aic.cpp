// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_bmm/mla_bmm_aic.h"

#include <bit>

#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { direction, dtype, tokens, heads };
enum KeyPlace : size_t { direction_place, dtype_place, heads_place, sol_place };

struct BmmSol {
  double flops = 1, bytes = 2, bandwidth = 1;
  SolParts parts(int64_t t_, int64_t n_) const {
    const double t = double(t_), n = double(n_);
    constexpr double kExpansion = 128 * 512;
    return {2 * t * n * kExpansion / flops * 1e3,
            n * ((128 + 512) * t + kExpansion) * bytes / bandwidth * 1e3};
  }
};

class BmmTable {
 public:
  BmmTable(const Database& database, SharedLayer shared)
      : rows_(database.rows("mla_bmm", shared)),
        fields_(*rows_, {"op_name", "bmm_dtype", "num_tokens", "num_heads"}),
        index_(database.table_name("mla_bmm"), rows_,
               {fields_.part(direction), fields_.part(dtype), fields_.part(heads)},
               [this](uint32_t row, TableKey& key) {
                 key = {fields_(row, direction), fields_(row, dtype), fields_(row, heads)};
                 return true;
               }) {}

  /// Modes without rows: bfloat16.
  TableKey key(const MlaBmm& op, int64_t head_count) const {
    const int64_t side = fields_.value_of(direction, op.is_pre ? "mla_gen_pre" : "mla_gen_post").value_or(-1);
    const auto asked = fields_.value_of(dtype, name_of(op.quant));
    bool measured = false;
    for (const TableIndex::Group& group : index_.groups())
      measured = measured || (asked && group.key[dtype_place] == *asked);
    return {side, measured ? *asked : fields_.value_of(dtype, "bfloat16").value_or(-1), head_count};
  }

  std::shared_ptr<const Surface> find(const TableKey& key, QuantMode sol_of, const BmmSol& sol) const {
    const TableIndex::Group* group = index_.find(key);
    if (group == nullptr) return nullptr;
    TableKey memo_key = key;
    memo_key[sol_place] = int64_t(sol_of);
    return surfaces_.get(memo_key, [&] {
      PointList points(*rows_);
      for (const uint32_t row : group->rows) points.add({fields_(row, tokens)}, row);
      const int64_t n = key[heads_place];
      return std::make_shared<const Surface>(
          AxisLayout{}, std::move(points),
          [sol, n](const Coordinates& at) { return sol.parts(at[0], n).ms(); });
    });
  }

  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }

 private:
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

class BmmPricer final : public TablePricer {
 public:
  BmmPricer(const MlaBmm& op, const BmmSol& sol, const Binding& binding)
      : TablePricer(binding.mode), op_(op), sol_(sol) {
    if (mode() == Mode::sol || mode() == Mode::sol_full) return;
    const BmmTable& table = binding.family<BmmTable>();
    TableKey key = table.key(op, op.num_heads);
    surface_ = table.find(key, op.quant, sol);
    if (surface_) return;
    why_missing_ = table.why_missing(key);
    key[heads_place] = int64_t(std::bit_ceil(uint64_t(op.num_heads)));
    surface_ = table.find(key, op.quant, sol);
    share_ = double(op.num_heads) / double(key[heads_place]);
  }

  Price silicon(const PhasePoint& at) const override {
    if (!surface_) return Price::failed(Failure::perf_data_not_available);
    Price price = surface_->price({tokens_of(at)});
    price *= share_;
    return price;
  }

  Ground silicon_ground(const PhasePoint& at) const override { return surface_->ground({tokens_of(at)}); }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation = surface_ ? surface_->utilisation({tokens_of(at)}) : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    return empirical_price(speed_of_light(at).ms(), *utilisation, Provenance::empirical);
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return sol_.parts(tokens_of(at), op_.num_heads);
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    return surface_ ? surface_->why_missing({tokens_of(at)}) : why_missing_;
  }

 private:
  static int64_t tokens_of(const PhasePoint& at) { return at.context ? at.tokens : at.batch; }

  MlaBmm op_;
  BmmSol sol_;
  std::shared_ptr<const Surface> surface_;  // null: not measured
  double share_ = 1;                        // of the heads that were measured
  std::string why_missing_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const MlaBmm& op, const Binding& binding) {
  const MathType math = profile_of(op.quant).math;
  const auto flops = peak_flops(binding.system(), math);
  if (!flops)
    return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
  return std::make_unique<BmmPricer>(op, BmmSol{*flops, profile_of(op.quant).bytes, binding.system().mem_bw},
                                     binding);
}

}  // namespace perfatlas::aic
