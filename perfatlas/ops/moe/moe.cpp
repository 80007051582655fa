// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe.h"

#include <algorithm>
#include <cmath>

namespace perfatlas {

std::string_view Moe::why_invalid() const {
  if (tokens < 1 || hidden < 1 || inter < 1 || topk < 1 || experts < 1)
    return "tokens, hidden, inter, topk and experts must be positive";
  if (tp < 1 || ep < 1) return "tp and ep must be positive";
  if (topk > experts) return "a token cannot choose more experts (topk) than there are (num_experts)";
  if (experts % ep != 0) return "the experts must divide evenly among ep ranks";
  if (inter % tp != 0) return "the intermediate features must divide evenly among tp ranks";
  const int64_t block = block_of(traits_of(dtype).weight).elements;
  if (hidden % block != 0 || local_inter() % block != 0)
    return "hidden and inter/tp must fill whole blocks of the weight type: 2 for 4-bit types, 32 for q8_0 "
           "and q4_0, 256 for q4_K and q6_K";
  if (!parse_distribution(distribution.text()))
    return "distribution must be balanced, uniform or power_law_A (A > 0, not 1), e.g. power_law_1.2, "
           "perhaps with _fixed_order or _eplb behind";
  return {};
}

std::optional<Moe> Moe::published(const Moe& row, Symbol kernel) {
  const std::string_view name = kernel.text();
  if (name == kMinLatencyKernel) return std::nullopt;
  Moe meant = row;
  if (row.dtype == Quant::w4a8_mxfp4_mxfp8 && name == "sglang_mxfp4_flashinfer_trtllm_moe")
    meant.dtype = Quant::w4a8_mxfp4_mxfp8_trtllm;
  if (row.dtype == Quant::w4a16_mxfp4 && name == "sglang_flashinfer_cutlass_moe")
    meant.dtype = Quant::w4a16_mxfp4_cutlass;
  return meant;
}

DType Moe::token_type() const {
  const DType products = traits_of(dtype).activation;
  return bits_of(products) >= 16 ? products : DType::bf16;
}

double Moe::int8_weight_scale(int64_t depth) { return 1 / (32 * std::sqrt(double(depth))); }

Likeness Moe::likeness() const {
  const auto octaves = [](int64_t size) { return std::log2(double(size)); };
  return {{octaves(hidden), octaves(inter) - octaves(tp), 0.5 * (octaves(experts) - octaves(ep)),
           octaves(topk), octaves(ep)},
          double(topk) / double(ep)};
}

Work Moe::work() const {
  const ExpectedLoad load = expected_load(routing_shape(), *parse_distribution(distribution.text()));
  const double matrices = double(in_matrices() + 1);
  const double elements = matrices * double(hidden) * double(local_inter());
  const auto rows = double(tokens), width = bytes_of(token_type());
  return {
      .flops = 2 * load.assignments * elements,
      .weight_bytes_read = load.experts * elements * traits_of(dtype).weight_bytes,
      .activation_bytes_read =
          std::min(rows, load.assignments) * double(hidden) * width + rows * double(experts) * width,
      .bytes_written = rows * double(hidden) * width,
      .math = traits_of(dtype).math,
  };
}

Operands Moe::operands() const {
  const DType tokens_as = token_type();
  const DType weights_as = traits_of(dtype).weight;
  return {
      {.name = "x", .role = OperandRole::activation, .dtype = tokens_as, .shape = {tokens, hidden}},
      {.name = "logits",
       .role = OperandRole::activation,
       .dtype = tokens_as,
       .shape = {tokens, experts},
       .fill = Fill::custom,
       .content =
           [op = *this](uint64_t seed, HostOperand& content) {
             const auto load = parse_distribution(op.distribution.text());
             content.values = logits_of(route_tokens(op.routing_shape(), *load, seed), op.topk, op.experts);
           }},
      {.name = "w13",
       .role = OperandRole::weight,
       .dtype = weights_as,
       .shape = {local_experts(), in_matrices(), local_inter(), hidden},
       .fill = Fill::small},
      {.name = "w2",
       .role = OperandRole::weight,
       .dtype = weights_as,
       .shape = {local_experts(), hidden, local_inter()},
       .fill = Fill::small},
      {.name = "out",
       .role = OperandRole::output,
       .dtype = tokens_as,
       .shape = {tokens, hidden},
       .fill = Fill::none,
       .written = true},
  };
}

void top_k(const float* logits, int64_t experts, int64_t topk, int32_t* chosen) {
  // Insertion into the sorted best so far: few experts beat the worst of them.
  int64_t found = 0;
  for (int64_t e = 0; e < experts; ++e) {
    if (found == topk && !(logits[e] > logits[chosen[topk - 1]])) continue;
    int64_t at = found < topk ? found++ : topk - 1;
    for (; at > 0 && logits[e] > logits[chosen[at - 1]]; --at) chosen[at] = chosen[at - 1];
    chosen[at] = int32_t(e);
  }
}

}  // namespace perfatlas
