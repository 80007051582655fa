// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mla_module/mla_module_aic.h"

#include <algorithm>
#include <array>

#include "perfatlas/aic/head_ladder.h"
#include "perfatlas/aic/phase_points.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/mla/mla_aic.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { model, dtype, kv_dtype, gemm, heads, batch, isl, tp, step };
enum KeyPlace : size_t { fmha_place, kv_place, gemm_place, native_place };

/// Models of which tables hold rows whose heads times tp_size is not the model's own number of heads.
struct NativeHeads {
  std::string_view model;
  int64_t heads;
};
constexpr std::array<NativeHeads, 4> kNativeHeads{{{"deepseek-ai/DeepSeek-V3", 128},
                                                   {"deepseek-ai/DeepSeek-R1", 128},
                                                   {"nvidia/DeepSeek-V3.1-NVFP4", 128},
                                                   {"moonshotai/Kimi-K3", 96}}};

template <bool context>
class ModuleTable {
 public:
  ModuleTable(const Database& database, SharedLayer shared)
      : rows_(database.rows(id(), shared)),
        fields_(*rows_, {"model", "mla_dtype", "kv_cache_dtype", "gemm_type", "num_heads", "batch_size",
                         "isl", "tp_size", "step"}),
        index_(database.table_name(id()), rows_,
               {fields_.part(dtype), fields_.part(kv_dtype), fields_.part(gemm), {"native heads"}},
               [this](uint32_t row, TableKey& key) {
                 key = {context ? fields_(row, dtype) : 0, fields_(row, kv_dtype), fields_(row, gemm),
                        native_heads(row)};
                 return true;
               }) {}

  TableKey key(const MlaModule& op) const {
    TableKey key{context ? fields_.value_of(dtype, name_of(op.fmha_quant)).value_or(-1) : 0,
                 fields_.value_of(kv_dtype, name_of(op.kv_quant)).value_or(-1),
                 fields_.value_of(gemm, name_of(op.gemm_quant)).value_or(-1)};
    std::vector<int64_t> natives;
    for (const TableIndex::Group& group : index_.groups())
      if (std::equal(key.begin(), key.begin() + native_place, group.key.begin()))
        natives.push_back(group.key[native_place]);
    // A model that is not named is told apart from none, where several were measured.
    const bool known = op.native_num_heads > 0 || natives.size() == 1;
    key[native_place] = known ? on_head_ladder(std::move(natives), op.native_num_heads) : -1;
    return key;
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
  static constexpr std::string_view id() { return context ? "mla_context_module" : "mla_generation_module"; }

  int64_t native_heads(uint32_t row) const {
    const std::string_view name = Symbol::from_id(fields_(row, model)).text();
    for (const NativeHeads& known : kNativeHeads)
      if (known.model == name) return known.heads;
    return fields_(row, heads) * std::max<int64_t>(1, fields_(row, tp));
  }

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<TableKey, Surface, TableKeyHash> surfaces_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const MlaModule& op, const Binding& binding) {
  const AicSystem& system = binding.system();
  const MathType attention = op.context ? profile_of(op.fmha_quant).math : decode_math(system, op.kv_quant);
  const auto flops = peak_flops(system, attention), gemm_flops = peak_flops(system, op.gemm_quant);
  if (!flops || (!op.context && !gemm_flops))
    return std::make_unique<FailedPricer>(
        Failure::missing_system_flops,
        why_no_peak(system, flops ? profile_of(op.gemm_quant).math : attention));
  const MlaPeaks peaks{*flops, system.mem_bw, profile_of(op.kv_quant).bytes};
  const MlaGenerationSol decode{peaks, gemm_flops.value_or(0), profile_of(op.gemm_quant).bytes};
  const bool measured = binding.mode != Mode::sol && binding.mode != Mode::sol_full;
  MlaPricing pricing{.num_heads = op.num_heads};
  const auto look_up = [&](const auto& table, auto make) {
    const TableKey key = table.key(op);
    pricing.surface = table.find(key, make);
    if (!pricing.surface) pricing.why_missing = table.why_missing(key);
  };
  if (op.context) {
    if (measured)
      look_up(binding.family<ModuleTable<true>>(),
              [&](PointList points) { return mla_context_surface(std::move(points), peaks); });
    return mla_context_pricer(std::move(pricing), peaks, binding.mode);
  }
  if (measured)
    look_up(binding.family<ModuleTable<false>>(),
            [&](PointList points) { return mla_generation_surface(std::move(points), decode); });
  return mla_generation_pricer(std::move(pricing), decode, binding.mode);
}

}  // namespace perfatlas::aic
