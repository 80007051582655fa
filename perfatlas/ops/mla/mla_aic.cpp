// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla/mla_aic.h"

#include "perfatlas/aic/context_chunks.h"
#include "perfatlas/aic/phase_points.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

class ContextPricer final : public TablePricer {
 public:
  ContextPricer(MlaPricing pricing, const MlaPeaks& peaks, Mode mode)
      : TablePricer(mode), pricing_(std::move(pricing)), peaks_(peaks) {}

  Price silicon(const PhasePoint& at) const override {
    if (!pricing_.surface) return Price::failed(Failure::perf_data_not_available);
    return summed(at, [&](const PhasePoint& chunk) {
      return price_after_prefix(*pricing_.surface, pricing_.num_heads, chunk);
    });
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return ground_after_prefix(*pricing_.surface, pricing_.num_heads, at, pricing_.cp_size);
  }

  Price empirical(const PhasePoint& at) const override {
    if (!pricing_.surface) return Price::failed(Failure::empirical_not_implemented);
    return summed(at, [&](const PhasePoint& chunk) {
      const auto utilisation =
          pricing_.surface->utilisation({pricing_.num_heads, chunk.s + chunk.prefix, chunk.batch});
      if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
      return empirical_price(sol(chunk).ms(), *utilisation, Provenance::empirical);
    });
  }

  SolParts speed_of_light(const PhasePoint& at) const override { return sol(at); }

  Price sol_price(const PhasePoint& at) const override {
    return summed(at, [&](const PhasePoint& chunk) { return sol_price_of(sol(chunk)); });
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (!pricing_.surface) return pricing_.why_missing;
    return pricing_.surface->why_missing({pricing_.num_heads, at.s + at.prefix, at.batch});
  }

 private:
  SolParts sol(const PhasePoint& at) const {
    return mla_context_sol(peaks_, at.batch, pricing_.num_heads, at.s + at.prefix, at.prefix);
  }

  template <class Chunk>
  Price summed(const PhasePoint& at, Chunk chunk) const {
    Price price = over_chunks(at, pricing_.cp_size, chunk);
    price *= at.imbalance;
    return price;
  }

  MlaPricing pricing_;
  MlaPeaks peaks_;
};

class GenerationPricer final : public TablePricer {
 public:
  GenerationPricer(MlaPricing pricing, const MlaGenerationSol& sol, Mode mode)
      : TablePricer(mode), pricing_(std::move(pricing)), sol_(sol) {}

  Price silicon(const PhasePoint& at) const override {
    if (!pricing_.surface) return Price::failed(Failure::perf_data_not_available);
    Price price = pricing_.surface->price({pricing_.num_heads, at.batch, at.s});
    price *= at.imbalance;
    return price;
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return pricing_.surface->ground({pricing_.num_heads, at.batch, at.s});
  }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation =
        pricing_.surface ? pricing_.surface->utilisation({pricing_.num_heads, at.batch, at.s}) : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    Price price = empirical_price(speed_of_light(at).ms(), *utilisation, Provenance::empirical);
    price *= at.imbalance;
    return price;
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return sol_.parts(at.batch, pricing_.num_heads, at.s);
  }

  Price sol_price(const PhasePoint& at) const override {
    Price price = sol_price_of(speed_of_light(at));
    price *= at.imbalance;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (!pricing_.surface) return pricing_.why_missing;
    return pricing_.surface->why_missing({pricing_.num_heads, at.batch, at.s});
  }

 private:
  MlaPricing pricing_;
  MlaGenerationSol sol_;
};

enum Column : size_t { dtype, kv_dtype, heads, batch, isl, step };

/// Rows by (mla_dtype, kv_cache_dtype) in context and by kv_cache_dtype in generation.
template <bool context>
class MlaTable {
 public:
  MlaTable(const Database& database, SharedLayer shared)
      : rows_(database.rows(id(), shared)),
        fields_(*rows_, {"mla_dtype", "kv_cache_dtype", "num_heads", "batch_size", "isl", "step"}),
        index_(database.table_name(id()), rows_, parts(fields_), [this](uint32_t row, TableKey& key) {
          key = key_of(fields_(row, dtype), fields_(row, kv_dtype));
          return true;
        }) {}

  TableKey key(QuantMode fmha, QuantMode kv) const {
    return key_of(fields_.value_of(dtype, name_of(fmha)).value_or(-1),
                  fields_.value_of(kv_dtype, name_of(kv)).value_or(-1));
  }

  template <class Make>
  std::shared_ptr<const Surface> find(const TableKey& key, Make make) const {
    return surfaces_.get(key, [&]() -> std::shared_ptr<const Surface> {
      const TableIndex::Group* group = index_.find(key);
      if (group == nullptr) return nullptr;
      return make(phase_points(*rows_, fields_, group->rows, {heads, batch, isl, step}, context));
    });
  }

  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }

 private:
  static constexpr std::string_view id() { return context ? "mla_context" : "mla_generation"; }
  static TableKey key_of(int64_t fmha, int64_t kv) { return context ? TableKey{fmha, kv} : TableKey{kv}; }
  static std::vector<KeyPart> parts(const TableFields& fields) {
    if (context) return {fields.part(dtype), fields.part(kv_dtype)};
    return {fields.part(kv_dtype)};
  }

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

std::unique_ptr<const Pricer> no_peak(const Binding& binding, MathType math) {
  return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
}

}  // namespace

std::shared_ptr<const Surface> mla_context_surface(PointList points, const MlaPeaks& peaks) {
  return std::make_shared<const Surface>(
      AxisLayout{.axes = 3, .transforms = {Transform::raw, Transform::sqrt, Transform::raw}},
      std::move(points),
      [peaks](const Coordinates& at) { return mla_context_sol(peaks, at[2], at[0], at[1], 0).ms(); });
}

std::shared_ptr<const Surface> mla_generation_surface(PointList points, const MlaGenerationSol& sol) {
  return std::make_shared<const Surface>(
      AxisLayout{.axes = 3}, std::move(points),
      [sol](const Coordinates& at) { return sol.parts(at[1], at[0], at[2]).ms(); });
}

std::unique_ptr<const Pricer> mla_context_pricer(MlaPricing pricing, const MlaPeaks& peaks, Mode mode) {
  return std::make_unique<ContextPricer>(std::move(pricing), peaks, mode);
}

std::unique_ptr<const Pricer> mla_generation_pricer(MlaPricing pricing, const MlaGenerationSol& sol,
                                                    Mode mode) {
  return std::make_unique<GenerationPricer>(std::move(pricing), sol, mode);
}

std::unique_ptr<const Pricer> bind(const ContextMla& op, const Binding& binding) {
  const MathType math = profile_of(op.fmha_quant).math;
  const auto flops = peak_flops(binding.system(), math);
  if (!flops) return no_peak(binding, math);
  const MlaPeaks peaks{*flops, binding.system().mem_bw, profile_of(op.kv_quant).bytes};
  MlaPricing pricing{.num_heads = op.num_heads, .cp_size = op.cp_size};
  if (binding.mode != Mode::sol && binding.mode != Mode::sol_full) {
    const auto& table = binding.family<MlaTable<true>>();
    const TableKey key = table.key(op.fmha_quant, op.kv_quant);
    pricing.surface =
        table.find(key, [&](PointList points) { return mla_context_surface(std::move(points), peaks); });
    if (!pricing.surface) pricing.why_missing = table.why_missing(key);
  }
  return mla_context_pricer(std::move(pricing), peaks, binding.mode);
}

std::unique_ptr<const Pricer> bind(const GenerationMla& op, const Binding& binding) {
  const MathType math = decode_math(binding.system(), op.kv_quant);
  const auto flops = peak_flops(binding.system(), math);
  if (!flops) return no_peak(binding, math);
  const MlaGenerationSol sol{.peaks = {*flops, binding.system().mem_bw, profile_of(op.kv_quant).bytes}};
  MlaPricing pricing{.num_heads = op.num_heads};
  if (binding.mode != Mode::sol && binding.mode != Mode::sol_full) {
    const auto& table = binding.family<MlaTable<false>>();
    const TableKey key = table.key(QuantMode::bfloat16, op.kv_quant);
    pricing.surface =
        table.find(key, [&](PointList points) { return mla_generation_surface(std::move(points), sol); });
    if (!pricing.surface) pricing.why_missing = table.why_missing(key);
  }
  return mla_generation_pricer(std::move(pricing), sol, binding.mode);
}

}  // namespace perfatlas::aic
