// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/op_weights.h"

#include <cmath>
#include <string_view>

namespace perfatlas::estimate {
namespace {

double bytes_of(aic::QuantMode mode) { return aic::profile_of(mode).bytes; }

double product(double rows, double columns, aic::QuantMode mode) { return rows * columns * bytes_of(mode); }

double total(const std::vector<aic::Op>& ops) {
  double bytes = 0;
  for (const aic::Op& op : ops) bytes += weight_bytes(op);
  return bytes;
}

/// Gate, up and down projection of the experts of one rank; two matrices without a gate.
double experts(double hidden, double inter, double count, aic::QuantMode quant, bool gated) {
  return hidden * inter * count * bytes_of(quant) * (gated ? 3 : 2);
}

/// Widths of a latent attention block with an indexer.
struct DsaWidths {
  std::string_view architecture;
  double hidden, q_lora, kv_lora, nope, rope, v, index_dim, index_heads;
};
constexpr DsaWidths kDsa[] = {{"DeepseekV32ForCausalLM", 7168, 1536, 512, 128, 64, 128, 128, 64},
                              {"GlmMoeDsaForCausalLM", 6144, 2048, 512, 192, 64, 256, 128, 32}};

double of(const aic::DsaModule& op) {
  const DsaWidths& w = op.architecture == kDsa[1].architecture ? kDsa[1] : kDsa[0];
  const double heads = double(op.num_heads);
  const aic::DsaModule::Projections& modes = op.projections;
  return (w.hidden * w.q_lora + w.q_lora * heads * (w.nope + w.rope)) * bytes_of(modes.q) +
         (w.hidden * (w.kv_lora + w.rope) + w.kv_lora * heads * (w.nope + w.v)) * bytes_of(modes.kv) +
         heads * w.v * w.hidden * bytes_of(modes.o) +
         (w.q_lora * w.index_dim * w.index_heads + w.hidden * w.index_heads) * bytes_of(modes.indexer);
}

/// Down- and up-projection of queries, shared keys, grouped output projection (its first half in bfloat16, as are the
/// indexer's head weights), an attention sink per head, compressors with their position tables in float32.
double of(const aic::Dsv4Attention& op) {
  constexpr double kBf16 = 2, kFloat = 4, kSparseRatio = 4;
  const double h = double(op.hidden_size), d = double(op.head_dim), heads = double(op.num_heads);
  const double q_lora = double(op.q_lora_rank), o_lora = double(op.o_lora_rank),
               ratio = double(op.compress_ratio);
  const bool sparse = ratio == kSparseRatio;
  const double overlap = sparse ? 2 : 1, q = bytes_of(op.gemm_quant);
  double bytes = (h * q_lora + h * d + q_lora * heads * d + double(op.o_groups) * o_lora * h) * q;
  bytes += heads * (d * o_lora * kBf16 + kFloat);
  bytes += 2 * h * d * overlap * q + ratio * overlap * d * kFloat;
  if (!sparse) return bytes;
  const double index_heads = double(op.index_n_heads), index_dim = double(op.index_head_dim);
  bytes += (q_lora * index_heads * index_dim + 2 * h * index_dim * 2) * q;
  return bytes + h * index_heads * kBf16 + ratio * 2 * index_dim * kFloat;
}

/// Mixing matrices from the residual streams to their gates, biases and scales, in float32.
double of(const aic::Mhc& op) {
  const double streams = double(op.hc_mult), gates = streams * streams + 2 * streams;
  return (gates * streams * double(op.hidden_size) + gates + 3) * 4;
}

double of(const aic::Gemm& op) { return product(double(op.n), double(op.k), op.quant); }
double of(const aic::Embedding& op) {
  return product(double(op.vocab_size), double(op.hidden_size), op.quant);
}

double of(const aic::Moe& op) {
  const double all =
      experts(double(op.hidden_size), double(op.inter_size), double(op.num_experts), op.quant, op.is_gated);
  return std::floor(std::floor(all / double(op.moe_ep_size)) / double(op.moe_tp_size));
}

double of(const aic::ExpertCompute& op) {
  const double all =
      experts(double(op.hidden_size), double(op.inter_size), double(op.num_experts), op.quant, op.is_gated);
  return std::floor(all / double(op.moe_ep_size));
}

double of(const aic::MegaMoe& op) {
  const double all =
      experts(double(op.hidden_size), double(op.inter_size), double(op.num_experts), op.quant, true);
  return std::floor(std::floor(all / double(op.moe_ep_size)) / double(op.moe_tp_size));
}

template <class Op>
concept HasWeights = requires(const Op& op) {
  of(op);
};

}  // namespace

double weight_bytes(const aic::Op& op) {
  return std::visit(
      [](const auto& value) -> double {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, aic::Overlap>) {
          return total(value.group_a) + total(value.group_b);
        } else if constexpr (std::is_same_v<Value, aic::Fallback>) {
          const double primary = total(value.primary);
          return primary > 0 ? primary : total(value.fallback);
        } else if constexpr (HasWeights<Value>) {
          return of(value) * value.scale_factor;
        } else {
          return 0;
        }
      },
      op.value);
}

}  // namespace perfatlas::estimate
