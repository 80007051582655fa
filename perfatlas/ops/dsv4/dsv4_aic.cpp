// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4_aic.h"

#include <algorithm>
#include <string>

#include "perfatlas/aic/head_ladder.h"
#include "perfatlas/aic/prefixed_utilisation.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/surface_pricer.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/dsv4/dsv4_aic_sol.h"
#include "perfatlas/ops/dsv4/dsv4_aic_split.h"
#include "perfatlas/ops/dsv4/dsv4_aic_topk.h"
#include "perfatlas/ops/dsv4/dsv4_case.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { dtype, kv_dtype, gemm, heads, batch, isl, tp, step };
enum KeyPlace : size_t { fmha_place, kv_place, gemm_place, native_place, heads_place };

constexpr size_t kPrefixAxis = 0;  // of contexts: prefix, isl, batch

/// Everything that a slice and its speed of light depend on.
std::string shape_of(const Dsv4Attention& op) {
  std::string shape;
  for (const int64_t size :
       {op.num_heads, op.native_heads, op.tp_size, op.compress_ratio, op.hidden_size, op.q_lora_rank,
        op.o_lora_rank, op.head_dim, op.rope_head_dim, op.index_n_heads, op.index_head_dim, op.index_topk,
        op.window_size, op.o_groups, int64_t(op.kv_quant), int64_t(op.fmha_quant), int64_t(op.gemm_quant)})
    shape += std::to_string(size) + ' ';
  return shape;
}

template <bool context, bool csa>
class Dsv4Table {
 public:
  Dsv4Table(const Database& database, SharedLayer shared)
      : rows_(database.rows(id(), shared)),
        fields_(*rows_, {"mla_dtype", "kv_cache_dtype", "gemm_type", "num_heads", "batch_size", "isl",
                         "tp_size", "step"}),
        index_(database.table_name(id()), rows_,
               {fields_.part(dtype),
                fields_.part(kv_dtype),
                fields_.part(gemm),
                {"native heads"},
                fields_.part(heads)},
               [this](uint32_t row, TableKey& key) {
                 key = {context ? fields_(row, dtype) : 0, fields_(row, kv_dtype), fields_(row, gemm),
                        fields_(row, heads) * fields_(row, tp), fields_(row, heads)};
                 return true;
               }) {}

  TableKey key(const Dsv4Attention& op) const {
    TableKey key{context ? fields_.value_of(dtype, name_of(op.fmha_quant)).value_or(-1) : 0,
                 fields_.value_of(kv_dtype, name_of(op.kv_quant)).value_or(-1),
                 fields_.value_of(gemm, name_of(op.gemm_quant)).value_or(-1)};
    key[native_place] = on_head_ladder(values(key, native_place), op.native_heads);
    key[heads_place] = on_head_ladder(values(key, heads_place), op.num_heads);
    return key;
  }

  /// Made when first asked for; null: not measured.
  std::shared_ptr<const Surface> find(const TableKey& key, const Dsv4Sol& sol) const {
    return surfaces_.get(shape_of(sol.op), [&] { return make(key, sol); });
  }

  std::string why_missing(const TableKey& key) const { return index_.why_missing(key); }

 private:
  std::shared_ptr<const Surface> make(const TableKey& key, const Dsv4Sol& sol) const {
    const TableIndex::Group* group = index_.find(key);
    if (group == nullptr) return nullptr;
    PointList points(*rows_);
    for (const uint32_t row : group->rows) {
      const int64_t b = fields_(row, batch), s = fields_(row, isl), p = fields_(row, step);
      points.add(context ? Coordinates{p, s, b} : Coordinates{b, s + p}, row);
    }
    return std::make_shared<const Surface>(
        AxisLayout{.axes = context ? size_t{3} : size_t{2}}, std::move(points), [sol](const Coordinates& at) {
          return context ? sol.context(at[2], at[1], at[0]).ms() : sol.generation(at[0], at[1]).ms();
        });
  }

  static constexpr std::string_view id() {
    if (csa) return context ? "dsv4_csa_context_module" : "dsv4_csa_generation_module";
    return context ? "dsv4_hca_context_module" : "dsv4_hca_generation_module";
  }

  /// What rows that agree in the places before have there.
  std::vector<int64_t> values(const TableKey& key, KeyPlace place) const {
    std::vector<int64_t> values;
    for (const TableIndex::Group& group : index_.groups())
      if (std::equal(key.begin(), key.begin() + place, group.key.begin())) values.push_back(group.key[place]);
    return values;
  }

  std::shared_ptr<const TableRows> rows_;
  TableFields fields_;
  TableIndex index_;
  Memo<std::string, Surface> surfaces_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Dsv4Attention& asked, const Binding& binding) {
  Dsv4Attention op = asked;
  if (op.compress_ratio != kCsaRatio) op.compress_ratio = kHcaRatio;  // the engine knows no other
  const AicSystem& system = binding.system();
  const MathType decode = decode_math(system, op.kv_quant);
  const MathType attention = op.context ? profile_of(op.fmha_quant).math : decode;
  for (const MathType math : {profile_of(op.gemm_quant).math, MathType::bf16, MathType::fp8, attention})
    if (!peak_flops(system, math))
      return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(system, math));
  if (binding.mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(Failure::sol_not_implemented,
                                          "the speed of light of this block has no parts");
  const Dsv4Sol sol{op,
                    *peak_flops(system, op.gemm_quant),
                    *peak_flops(system, MathType::bf16),
                    *peak_flops(system, MathType::fp8),
                    *peak_flops(system, attention),
                    system.mem_bw,
                    decode == MathType::fp8 ? 1.0 : 2.0};
  SurfaceQuestion question;
  const auto look_up = [&](const auto& table) {
    const TableKey key = table.key(op);
    question.surface = table.find(key, sol);
    if (!question.surface) question.why_missing = table.why_missing(key);
  };
  if (binding.mode != Mode::sol) {
    if (op.context)
      op.compress_ratio == kCsaRatio ? look_up(binding.family<Dsv4Table<true, true>>())
                                     : look_up(binding.family<Dsv4Table<true, false>>());
    else
      op.compress_ratio == kCsaRatio ? look_up(binding.family<Dsv4Table<false, true>>())
                                     : look_up(binding.family<Dsv4Table<false, false>>());
  }
  if (binding.mode != Mode::sol && op.compress_ratio == kCsaRatio)
    if (auto excess = TopkExcess::find(binding, op.context, op.native_heads))
      question.excess_ms = [excess](const PhasePoint& at) { return excess->ms(at); };
  if (op.context) {
    question.place = [](const PhasePoint& at) { return Coordinates{at.prefix, at.s, at.batch}; };
    question.sol = [sol](const PhasePoint& at) { return sol.context(at.batch, at.s, at.prefix); };
    if (binding.mode == Mode::hybrid || binding.mode == Mode::empirical) {
      const auto utilisation = std::make_shared<const PrefixedUtilisation>(question.surface, kPrefixAxis);
      question.utilisation = [utilisation, place = question.place](const PhasePoint& at) {
        return utilisation->at(place(at));
      };
    }
  } else {
    question.place = [](const PhasePoint& at) { return Coordinates{at.batch, at.s}; };
    question.sol = [sol](const PhasePoint& at) { return sol.generation(at.batch, at.s); };
  }
  auto block = surface_pricer(std::move(question), binding.mode);
  if (!op.context || op.cp_size <= 1) return block;
  return split_pricer(std::move(block), split_block(op, binding), binding);
}

}  // namespace perfatlas::aic
