// SPDX-License-Identifier: Apache-2.0
// What a step of one engine costs: five tables of one identity (system, engine, version, model, types, parallelism).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "perfatlas/schema/dtype.h"
#include "perfatlas/serving/price_grid.h"

namespace perfatlas {

enum class PriceSource {
  measured,     // every term of the tables was measured or interpolated between measurements
  transferred,  // some terms come from another type, system or op, or from the speed of light
};

template <>
inline constexpr auto kEnumNames<PriceSource> =
    std::array{EnumName<PriceSource>{PriceSource::measured, "measured"},
               EnumName<PriceSource>{PriceSource::transferred, "transferred"}};

/// New tokens of one sequence of which `cached` tokens are in the KV cache already.
struct Chunk {
  int64_t new_tokens = 0;
  int64_t cached = 0;
  bool operator==(const Chunk&) const = default;
};

/// One step of one rank.
struct StepBatch {
  int64_t new_tokens = 0;         // prompt tokens: those of whole prompts and those of chunks
  int64_t whole_prompts = 0;      // prompts computed from first to last token in this step
  int64_t whole_tokens = 0;       // their tokens
  std::span<const Chunk> chunks;  // parts of prompts
  int64_t decodes = 0;            // sequences that get one more token
  double mean_kv_tokens = 0;      // their mean KV length, the new token included
};

/// Immutable. All times in milliseconds, linear between grid values on the raw axes, clamped below, extrapolated above.
struct PriceTables {
  std::string identity;  // for people: "Qwen3-32B h200_sxm vllm 0.14.0 tp4"
  PriceSource source = PriceSource::measured;
  std::optional<int64_t>
      max_seq_len;                // tokens, prompt and output, that the model was made for; absent: not known
  PriceCurve context;             // [tokens]: all context ops but attention, one sequence, logits of one row
  PriceSurface prompt_attention;  // [prompts][tokens each]: context attention of whole prompts
  PriceSurface chunk_attention;   // [new tokens][cached tokens]: context attention of one chunk
  PriceSurface decode;            // [sequences][KV length]: a whole decode step
  PriceSurface decode_attention;  // [sequences][KV length]: its attention
  double fused_projection_ms =
      0;  // projections inside decode_attention(1, 64) when attention is a fused block (MLA, DSA)

  bool operator==(const PriceTables&) const = default;
};

/// Context attention of `prompts` whole prompts of `tokens` each. Beyond the last grid value of prompts: in proportion.
double prompt_attention_ms(const PriceTables& prices, double prompts, double tokens);

/// Context attention of one chunk. Below the first grid value of new tokens: in proportion to that, at least a quarter.
double chunk_attention_ms(const PriceTables& prices, Chunk chunk);

/// A step's kernels. Prompt and decode tokens form one batch: dense layers, experts and collectives see them once, and
/// a step is never cheaper than its decodes alone. 0 for an empty step.
double step_ms(const PriceTables& prices, const StepBatch& step);

/// Tables as JSON (docs/formats.md, "Price tables") and back. Throws Error naming the missing or malformed key.
std::string price_tables_json(const PriceTables& prices);
PriceTables parse_price_tables(const std::string& json, const std::string& path);

}  // namespace perfatlas
