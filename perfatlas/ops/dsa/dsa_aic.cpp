// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_aic.h"

#include <optional>

#include "perfatlas/aic/prefixed_utilisation.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/aic/sparse_table.h"
#include "perfatlas/aic/surface.h"
#include "perfatlas/ops/dsa/dsa_aic_sol.h"
#include "perfatlas/ops/dsa/dsa_aic_split.h"

namespace perfatlas::aic {
namespace {

constexpr size_t kPrefixAxis = 1;  // of contexts: heads, prefix, isl, batch

template <bool context, bool with_indexer>
struct DsaFamily {
  SparseTable table;
  Memo<std::string, Surface> surfaces;
  DsaFamily(const Database& database, SharedLayer shared) : table(id(), context, database, shared) {}
  static constexpr std::string_view id() {
    if (with_indexer) return context ? "dsa_context_module" : "dsa_generation_module";
    return context ? "dsa_context_module_skip_indexer" : "dsa_generation_module_skip_indexer";
  }
};

/// Ranks share the prompt; they run the other kernels.
bool is_split(const DsaModule& op) { return op.context && op.cp_size > 1; }

/// Nothing when the system lacks a peak; `missing` says which.
std::optional<DsaSol> sol_of(const DsaModule& op, const AicSystem& system, bool with_indexer,
                             MathType& missing) {
  DsaSol sol{.sizes = dsa_sizes(op.architecture), .bandwidth = system.mem_bw, .with_indexer = with_indexer};
  const auto peak = [&](MathType math, double& flops) {
    const auto found = peak_flops(system, math);
    if (!found) missing = math;
    flops = found.value_or(0);
    return found.has_value();
  };
  sol.kv_bytes = profile_of(op.kv_quant).bytes;
  sol.fmha_bytes = profile_of(op.fmha_quant).bytes;
  sol.gemm_bytes = profile_of(op.gemm_quant).bytes;
  const MathType attention = op.context ? profile_of(op.fmha_quant).math : MathType::bf16;
  const bool known = peak(profile_of(op.gemm_quant).math, sol.gemm_flops) &&
                     peak(MathType::fp8, sol.fp8_flops) && peak(attention, sol.attention_flops);
  if (!known) return std::nullopt;
  return sol;
}

template <bool context, bool with_indexer>
std::shared_ptr<const Surface> find_surface(const DsaModule& op, const DsaSol& sol, const Binding& binding,
                                            std::string& why_missing) {
  const auto& family = binding.family<DsaFamily<context, with_indexer>>();
  const bool split = is_split(op);
  const SparseKey key{op.architecture, context ? op.fmha_quant : QuantMode::bfloat16, op.kv_quant,
                      op.gemm_quant};
  const std::string memo_key = op.architecture + ' ' + std::to_string(int(key.fmha)) + ' ' +
                               std::to_string(int(key.kv)) + ' ' + std::to_string(int(key.gemm)) +
                               (split ? " split" : "");
  auto surface = family.surfaces.get(memo_key, [&]() -> std::shared_ptr<const Surface> {
    PointList points = family.table.points(key, split ? SparseKernels::flashmla : SparseKernels::trtllm);
    if (points.empty()) return nullptr;
    if (context)
      return std::make_shared<const Surface>(
          AxisLayout{.axes = 4}, std::move(points),
          [sol](const Coordinates& at) { return sol.context(at[3], at[0], at[2], at[1]).ms(); });
    return std::make_shared<const Surface>(
        AxisLayout{.axes = 3}, std::move(points),
        [sol](const Coordinates& at) { return sol.generation(at[1], at[0], at[2]).ms(); });
  });
  if (!surface) why_missing = family.table.why_missing(key);
  return surface;
}

std::shared_ptr<const Surface> find_surface(const DsaModule& op, const DsaSol& sol, const Binding& binding,
                                            std::string& why_missing) {
  if (op.context)
    return sol.with_indexer ? find_surface<true, true>(op, sol, binding, why_missing)
                            : find_surface<true, false>(op, sol, binding, why_missing);
  return sol.with_indexer ? find_surface<false, true>(op, sol, binding, why_missing)
                          : find_surface<false, false>(op, sol, binding, why_missing);
}

/// Blocks of one kind: with an indexer, or without.
class BlockPricer final : public TablePricer {
 public:
  BlockPricer(const DsaModule& op, const DsaSol& sol, const Binding& binding)
      : TablePricer(binding.mode), op_(op), sol_(sol) {
    if (mode() == Mode::sol || mode() == Mode::sol_full) return;
    surface_ = find_surface(op, sol, binding, why_missing_);
    if (mode() != Mode::silicon && op.context) utilisation_.emplace(surface_, kPrefixAxis);
  }

  Price silicon(const PhasePoint& at) const override {
    if (!surface_) return Price::failed(Failure::perf_data_not_available);
    return surface_->price(place(at));
  }

  Ground silicon_ground(const PhasePoint& at) const override { return surface_->ground(place(at)); }

  Price empirical(const PhasePoint& at) const override {
    const auto utilisation = utilisation_ ? utilisation_->at(place(at))
                             : surface_   ? surface_->utilisation(place(at))
                                          : std::nullopt;
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    return empirical_price(speed_of_light(at).ms(), *utilisation, Provenance::empirical);
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return op_.context ? sol_.context(at.batch, op_.num_heads, at.s, at.prefix)
                       : sol_.generation(at.batch, op_.num_heads, at.s);
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    return surface_ ? surface_->why_missing(place(at)) : why_missing_;
  }

 private:
  Coordinates place(const PhasePoint& at) const {
    return op_.context ? Coordinates{op_.num_heads, at.prefix, at.s, at.batch}
                       : Coordinates{op_.num_heads, at.batch, at.s};
  }

  DsaModule op_;
  DsaSol sol_;
  std::shared_ptr<const Surface> surface_;          // null: not measured
  std::optional<PrefixedUtilisation> utilisation_;  // in context
  std::string why_missing_;
};

bool any_without_indexer(bool context, const Binding& binding) {
  return context ? !binding.family<DsaFamily<true, false>>().table.empty()
                 : !binding.family<DsaFamily<false, false>>().table.empty();
}

/// Layers with and without an indexer, by their share.
class MixedPricer final : public Pricer {
 public:
  MixedPricer(std::unique_ptr<const Pricer> full, std::unique_ptr<const Pricer> skip, double full_share)
      : full_(std::move(full)), skip_(std::move(skip)), full_share_(full_share) {}

  Price price(const PhasePoint& at) const override {
    Price sum = full_->price(at), rest = skip_->price(at);
    sum *= full_share_;
    rest *= 1 - full_share_;
    sum += rest;
    return sum;
  }
  std::string explain(const PhasePoint& at) const override {
    const std::string why = full_->explain(at);
    return why.empty() ? skip_->explain(at) : why;
  }
  /// Of the blocks with an indexer.
  Ground ground(const PhasePoint& at) const override { return full_->ground(at); }

 private:
  std::unique_ptr<const Pricer> full_, skip_;
  double full_share_;
};

/// Blocks with or without an indexer, of a rank that may share its prompts.
std::unique_ptr<const Pricer> bind_blocks(const DsaModule& op, const DsaSol& sol, const Binding& binding) {
  auto blocks = std::make_unique<BlockPricer>(op, sol, binding);
  if (!is_split(op)) return blocks;
  return split_pricer(std::move(blocks), split_block(op, sol.with_indexer, binding), binding);
}

}  // namespace

std::unique_ptr<const Pricer> bind(const DsaModule& op, const Binding& binding) {
  if (is_split(op) && binding.mode == Mode::sol_full)
    return std::make_unique<FailedPricer>(Failure::invalid_engine_config,
                                          "what sharing a prompt adds to this block was measured as a whole, "
                                          "so that its speed of light has no parts");
  MathType missing = MathType::none;
  const auto sol = sol_of(op, binding.system(), true, missing);
  if (!sol)
    return std::make_unique<FailedPricer>(Failure::missing_system_flops,
                                          why_no_peak(binding.system(), missing));
  auto full = bind_blocks(op, *sol, binding);
  const bool measured = binding.mode != Mode::sol && binding.mode != Mode::sol_full;
  if (op.full_fraction >= 1 || (measured && !any_without_indexer(op.context, binding))) return full;
  auto skip = bind_blocks(op, *sol_of(op, binding.system(), false, missing), binding);
  return std::make_unique<MixedPricer>(std::move(full), std::move(skip), op.full_fraction);
}

}  // namespace perfatlas::aic
