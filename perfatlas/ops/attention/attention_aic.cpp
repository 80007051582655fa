// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_aic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/aic/context_chunks.h"
#include "perfatlas/aic/roofline.h"
#include "perfatlas/ops/attention/attention_aic_lanes.h"

namespace perfatlas::aic {
namespace {

template <AttentionPhase phase>
struct AttentionFamily {
  AttentionTable table;
  AttentionFamily(const Database& database, SharedLayer shared) : table(phase, database, shared) {}
};

/// Where an attention op's answers come from.
struct AttentionData {
  LaneOrder order;
  std::shared_ptr<const Surface> own;        // null: not measured
  std::shared_ptr<const Surface> reference;  // whose utilisation an estimate borrows; null: none
  Provenance provenance = Provenance::empirical;
  double scale = 1;  // on that utilisation
  std::string why_missing;
};

/// The exact window, then all; in each the exact head size, then another one.
void find_reference(AttentionData& data, const AttentionTable& table, AttentionKey key,
                    const Binding& binding, AttentionPhase phase) {
  const int64_t window = key.window;
  for (const int64_t tried : window > 0 ? std::vector<int64_t>{window, 0} : std::vector<int64_t>{0}) {
    key.window = tried;
    const auto own = table.find(key, data.order.lanes);
    if (own) {
      data.reference = own;
      return;
    }
    int64_t head_size = key.head_size;
    if (!binding.transfers.xshape) continue;
    if (const auto other = table.other_head_size(key, data.order.lanes, head_size)) {
      data.reference = other;
      data.provenance = Provenance::xshape;
      if (phase == AttentionPhase::context)
        data.scale = usual_prefill_efficiency(binding.database.backend(), key.head_size) /
                     usual_prefill_efficiency(binding.database.backend(), head_size);
      return;
    }
  }
}

template <AttentionPhase phase>
AttentionData find_data(const AttentionKey& key, const Binding& binding,
                        const std::string& attention_backend) {
  AttentionData data;
  const bool measured = binding.mode != Mode::sol && binding.mode != Mode::sol_full;
  if (!measured && attention_backend.empty()) return data;
  const AttentionTable& table = binding.family<AttentionFamily<phase>>().table;
  const AttentionTable& own = binding.database.family<AttentionFamily<phase>>(SharedLayer::off).table;
  data.order = lane_order(binding, table, own, attention_backend);
  if (!data.order.supported || !measured) return data;
  data.own = table.find(key, data.order.lanes);
  if (!data.own) data.why_missing = table.why_missing(key);
  if (binding.mode != Mode::silicon) find_reference(data, table, key, binding, phase);
  return data;
}

template <class Op>
AttentionHeads heads_of(const Op& op) {
  return {op.n, op.n_kv, op.head_size, op.window_size};
}

constexpr double kSmallKernels = 1.1;  // what the kernels around attention cost over their memory time

class ContextAttentionPricer final : public TablePricer {
 public:
  ContextAttentionPricer(const ContextAttention& op, AttentionData data, const Binding& binding)
      : TablePricer(binding.mode),
        op_(op),
        data_(std::move(data)),
        peaks_{*peak_flops(binding.system(), op.fmha_quant), binding.system().mem_bw,
               profile_of(op.kv_quant).bytes} {
    const double q = double(op.n * op.head_size), k = double(op.n_kv * op.head_size);
    const double stored = k * profile_of(op.fmha_quant).bytes;
    const AicSystem& system = binding.system();
    double bytes = 2 * (2 * q + 2 * k) + 2 * stored;
    double ms = 2 * memory_op_ms(system, 2 * q + 2 * k) + 2 * memory_op_ms(system, stored);
    if (op.use_qk_norm) {
      bytes += 2 * (2 * 2 * q + 2 * 2 * k);
      ms += 2 * (2 * memory_op_ms(system, 2 * q) + 2 * memory_op_ms(system, 2 * k));
    }
    small_kernels_ms_ = kSmallKernels * ms;
    small_kernels_sol_ms_ = kSmallKernels * bytes / system.mem_bw * 1e3;
  }

  Price silicon(const PhasePoint& at) const override {
    if (!data_.own) return Price::failed(Failure::perf_data_not_available);
    return with_small_kernels(
        at, [&](const PhasePoint& chunk) { return price_after_prefix(*data_.own, op_.n, chunk); });
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    return ground_after_prefix(*data_.own, op_.n, at, op_.cp_size);
  }

  Price empirical(const PhasePoint& at) const override {
    if (!data_.reference) return Price::failed(Failure::empirical_not_implemented);
    return with_small_kernels(at, [&](const PhasePoint& chunk) {
      const auto utilisation = data_.reference->utilisation({op_.n, chunk.s + chunk.prefix, chunk.batch});
      if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
      return empirical_price(sol(chunk).ms(), *utilisation * data_.scale, data_.provenance);
    });
  }

  SolParts speed_of_light(const PhasePoint& at) const override { return sol(at); }

  Price sol_price(const PhasePoint& at) const override {
    Price price =
        over_chunks(at, op_.cp_size, [&](const PhasePoint& chunk) { return sol_price_of(sol(chunk)); });
    price.latency_ms += small_kernels_sol_ms_;
    price.memory_ms += small_kernels_sol_ms_;
    price *= at.imbalance;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (!data_.own) return data_.why_missing;
    return data_.own->why_missing({op_.n, at.s + at.prefix, at.batch});
  }

 private:
  SolParts sol(const PhasePoint& at) const {
    return context_attention_sol(heads_of(op_), peaks_, at.batch, at.s + at.prefix, at.prefix);
  }

  template <class Chunk>
  Price with_small_kernels(const PhasePoint& at, Chunk chunk) const {
    Price price = over_chunks(at, op_.cp_size, chunk);
    price += {.latency_ms = small_kernels_ms_, .source = Source::empirical};
    price *= at.imbalance;
    return price;
  }

  ContextAttention op_;
  AttentionData data_;
  AttentionPeaks peaks_;
  double small_kernels_ms_ = 0, small_kernels_sol_ms_ = 0;
};

class GenerationAttentionPricer final : public TablePricer {
 public:
  GenerationAttentionPricer(const GenerationAttention& op, AttentionData data, const Binding& binding)
      : TablePricer(binding.mode),
        op_(op),
        data_(std::move(data)),
        peaks_{*peak_flops(binding.system(), decode_math(binding.system(), op.kv_quant)),
               binding.system().mem_bw, profile_of(op.kv_quant).bytes} {}

  Price silicon(const PhasePoint& at) const override {
    if (!data_.own) return Price::failed(Failure::perf_data_not_available);
    Price mean;
    for (const int64_t length : lengths(at.s)) {
      const Price sample = data_.own->price({op_.n, at.batch, length});
      if (!sample.ok()) return sample;
      mean.latency_ms += sample.latency_ms;
      mean.energy_mj += sample.energy_mj;
    }
    mean.latency_ms = mean.latency_ms / kSamples * at.imbalance;
    mean.energy_mj = mean.energy_mj / kSamples * at.imbalance;
    return mean;
  }

  Ground silicon_ground(const PhasePoint& at) const override {
    std::vector<Ground> samples;
    for (const int64_t length : lengths(at.s))
      samples.push_back(data_.own->ground({op_.n, at.batch, length}));
    return combined(samples);
  }

  Price empirical(const PhasePoint& at) const override {
    if (!data_.reference) return Price::failed(Failure::empirical_not_implemented);
    const auto utilisation = data_.reference->utilisation({op_.n, at.batch, at.s});
    if (!utilisation) return Price::failed(Failure::empirical_not_implemented);
    Price price = empirical_price(speed_of_light(at).ms(), *utilisation * data_.scale, data_.provenance);
    price *= at.imbalance;
    return price;
  }

  SolParts speed_of_light(const PhasePoint& at) const override {
    return generation_attention_sol(heads_of(op_), peaks_, at.batch, at.s);
  }

  Price sol_price(const PhasePoint& at) const override {
    Price price = sol_price_of(speed_of_light(at));
    price *= at.imbalance;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (price(at).ok()) return {};
    if (!data_.own) return data_.why_missing;
    return data_.own->why_missing({op_.n, at.batch, at.s});
  }

 private:
  static constexpr int64_t kSamples = 5;

  /// From 0.9 s to 1.1 s.
  static std::array<int64_t, kSamples> lengths(int64_t s) {
    const int64_t least = std::max<int64_t>(1, int64_t(0.9 * double(s)));
    const int64_t most = std::max(least, int64_t(1.1 * double(s)));
    std::array<int64_t, kSamples> sampled{};
    for (int64_t i = 0; i < kSamples; ++i) sampled[size_t(i)] = least + (most - least) * i / (kSamples - 1);
    return sampled;
  }

  GenerationAttention op_;
  AttentionData data_;
  AttentionPeaks peaks_;
};

std::unique_ptr<const Pricer> no_peak(const Binding& binding, MathType math) {
  return std::make_unique<FailedPricer>(Failure::missing_system_flops, why_no_peak(binding.system(), math));
}

}  // namespace

std::unique_ptr<const Pricer> bind(const ContextAttention& op, const Binding& binding) {
  const MathType math = profile_of(op.fmha_quant).math;
  if (!peak_flops(binding.system(), math)) return no_peak(binding, math);
  const AttentionKey key{op.fmha_quant, op.kv_quant, op.n_kv == op.n ? 0 : op.n_kv, op.head_size,
                         op.window_size};
  AttentionData data = find_data<AttentionPhase::context>(key, binding, op.attention_backend);
  if (!data.order.supported)
    return std::make_unique<FailedPricer>(Failure::unsupported_attention_backend, data.order.why_unsupported);
  return std::make_unique<ContextAttentionPricer>(op, std::move(data), binding);
}

std::unique_ptr<const Pricer> bind(const GenerationAttention& op, const Binding& binding) {
  const MathType math = decode_math(binding.system(), op.kv_quant);
  if (!peak_flops(binding.system(), math)) return no_peak(binding, math);
  const AttentionKey key{.kv = op.kv_quant,
                         .n_kv = op.n_kv == op.n ? 0 : op.n_kv,
                         .head_size = op.head_size,
                         .window = op.window_size};
  AttentionData data = find_data<AttentionPhase::generation>(key, binding, op.attention_backend);
  if (!data.order.supported)
    return std::make_unique<FailedPricer>(Failure::unsupported_attention_backend, data.order.why_unsupported);
  return std::make_unique<GenerationAttentionPricer>(op, std::move(data), binding);
}

}  // namespace perfatlas::aic
