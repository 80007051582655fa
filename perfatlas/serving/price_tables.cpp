// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/price_tables.h"

#include <algorithm>

namespace perfatlas {
namespace {

constexpr double kLeastChunkShare = 0.25;

}  // namespace

double prompt_attention_ms(const PriceTables& prices, double prompts, double tokens) {
  if (prompts == 0) return 0;
  const double most = prices.prompt_attention.first().values().back();
  if (prompts <= most) return prices.prompt_attention.at(prompts, tokens);
  return prices.prompt_attention.at(most, tokens) * prompts / most;
}

double chunk_attention_ms(const PriceTables& prices, Chunk chunk) {
  const double least = prices.chunk_attention.first().values().front();
  const double tokens = double(chunk.new_tokens), cached = double(chunk.cached);
  if (tokens >= least) return prices.chunk_attention.at(tokens, cached);
  return prices.chunk_attention.at(least, cached) * std::max(kLeastChunkShare, tokens / least);
}

double step_ms(const PriceTables& prices, const StepBatch& step) {
  const auto decodes = double(step.decodes);
  if (step.new_tokens == 0) return step.decodes == 0 ? 0 : prices.decode.at(decodes, step.mean_kv_tokens);
  double total = prices.context.at(double(step.new_tokens + step.decodes));
  if (step.whole_prompts > 0)
    total += prompt_attention_ms(prices, double(step.whole_prompts),
                                 double(step.whole_tokens) / double(step.whole_prompts));
  for (const Chunk& chunk : step.chunks) total += chunk_attention_ms(prices, chunk);
  if (step.decodes == 0) return total;
  total +=
      std::max(0.0, prices.decode_attention.at(decodes, step.mean_kv_tokens) - prices.fused_projection_ms);
  return std::max(total, prices.decode.at(decodes, step.mean_kv_tokens));
}

}  // namespace perfatlas
