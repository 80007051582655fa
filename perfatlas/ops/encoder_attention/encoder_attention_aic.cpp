// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/encoder_attention/encoder_attention_aic.h"

#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { batch, isl, heads, head_dim, dtype };

struct EncoderSol {
  double flops = 1, bandwidth = 1;
  SolParts parts(int64_t n_, int64_t h_, int64_t s_, int64_t b_) const {
    const double n = double(n_), h = double(h_), s = double(s_), b = double(b_);
    return {4 * b * s * s * n * h / flops * 1e3, 2 * b * 4 * n * s * h / bandwidth * 1e3};
  }
};

class EncoderTable {
 public:
  EncoderTable(const Database& database, SharedLayer shared)
      : rows_(database.rows("encoder_attention", shared)),
        fields_(*rows_, {"batch_size", "isl", "num_heads", "head_dim", "attn_dtype"}),
        index_(database.table_name("encoder_attention"), rows_, {fields_.part(dtype), fields_.part(head_dim)},
               [this](uint32_t row, TableKey& key) {
                 key = {fields_(row, dtype), fields_(row, head_dim)};
                 return true;
               }) {}

  TableKey key(const EncoderAttention& op) const {
    return {fields_.value_of(dtype, name_of(op.fmha_quant)).value_or(-1), op.head_size};
  }

  std::shared_ptr<const Surface> find(const TableKey& key, const EncoderSol& sol) const {
    return surfaces_.get(key, [&]() -> std::shared_ptr<const Surface> {
      const TableIndex::Group* group = index_.find(key);
      if (group == nullptr) return nullptr;
      PointList points(*rows_);
      for (const uint32_t row : group->rows)
        points.add({fields_(row, heads), fields_(row, isl), fields_(row, batch)}, row);
      const int64_t h = key[1];
      return std::make_shared<const Surface>(
          AxisLayout{.axes = 3, .transforms = {Transform::raw, Transform::sqrt, Transform::raw}},
          std::move(points),
          [sol, h](const Coordinates& at) { return sol.parts(at[0], h, at[1], at[2]).ms(); });
    });
  }

  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }

 private:
  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

constexpr double kSmallKernels = 1.1;  // what the kernels around attention cost over their memory time

class EncoderPricer final : public TablePricer {
 public:
  EncoderPricer(const EncoderAttention& op, const EncoderSol& sol, const Binding& binding)
      : TablePricer(binding.mode), op_(op), sol_(sol), system_(binding.system()) {
    if (mode() == Mode::sol || mode() == Mode::sol_full) return;
    const EncoderTable& table = binding.family<EncoderTable>();
    const TableKey key = table.key(op);
    surface_ = table.find(key, sol);
    if (!surface_) why_missing_ = table.why_missing(key);
  }

  Price silicon(const PhasePoint& at) const override {
    if (!surface_) return Price::failed(Failure::perf_data_not_available);
    Price price = surface_->price({op_.n, at.s, at.batch});
    if (op_.partial_rotary_factor > 0)
      price +=
          {.latency_ms = rotation(memory_op_ms(system_, rotated_bytes(at))), .source = Source::empirical};
    return price;
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return surface_->ground({op_.n, at.s, at.batch});
  }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation = surface_ ? surface_->utilisation({op_.n, at.s, at.batch}) : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    Price price = empirical_price(speed_of_light(at).ms(), *utilisation, Provenance::empirical);
    if (op_.partial_rotary_factor > 0) price.latency_ms += rotation(memory_op_ms(system_, rotated_bytes(at)));
    return price;
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return sol_.parts(op_.n, op_.head_size, at.s, at.batch);
  }

  Price sol_price(const PhasePoint& at) const override {
    Price price = sol_price_of(speed_of_light(at));
    const double extra = rotation(rotated_bytes(at) / system_.mem_bw * 1e3);
    price.latency_ms += extra;
    price.memory_ms += extra;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    return surface_ ? surface_->why_missing({op_.n, at.s, at.batch}) : why_missing_;
  }

 private:
  double rotated_bytes(const PhasePoint& at) const {
    return 2 * double(op_.n * op_.head_size * 2) * double(at.batch) * double(at.s);
  }
  double rotation(double pass_ms) const { return op_.partial_rotary_factor * 2 * pass_ms * kSmallKernels; }

  EncoderAttention op_;
  EncoderSol sol_;
  const AicSystem& system_;
  std::shared_ptr<const Surface> surface_;  // null: not measured
  std::string why_missing_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const EncoderAttention& op, const Binding& binding) {
  const MathType math = profile_of(op.fmha_quant).math;
  const auto flops = peak_flops(binding.system(), math);
  if (!flops)
    return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
  return std::make_unique<EncoderPricer>(op, EncoderSol{*flops, binding.system().mem_bw}, binding);
}

}  // namespace perfatlas::aic
