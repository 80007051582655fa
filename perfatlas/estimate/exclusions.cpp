// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/exclusions.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "perfatlas/base/text.h"
#include "perfatlas/models/quantisation_config.h"

namespace perfatlas::estimate {
namespace {

using nlohmann::json;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

constexpr std::string_view kQuery[] = {"q_a_proj", "q_b_proj", "q_proj"};
constexpr std::string_view kKeyValue[] = {"kv_a_proj", "kv_b_proj", "kv_proj", "k_proj", "v_proj"};
constexpr std::string_view kOutput[] = {"o_proj"};
constexpr std::string_view kIndexer[] = {"indexer"};

bool names_one_of(std::string_view pattern, std::span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return contains(pattern, part); });
}

enum class LinearKind { projection, dense, shared_expert };

std::optional<LinearKind> kind_of(const std::string& module) {
  if (contains(module, ".linear_attn.") || contains(module, ".self_attn.")) return LinearKind::projection;
  if (contains(module, "shared_expert")) return LinearKind::shared_expert;
  if (contains(module, ".mlp.") && !names_routed_experts(module)) return LinearKind::dense;
  return std::nullopt;
}

std::optional<aic::QuantMode> linear_mode(const std::string& algorithm) {
  if (algorithm == "fp8") return aic::QuantMode::fp8_static;
  if (algorithm == "mxfp8") return aic::QuantMode::fp8;
  if (algorithm == "nvfp4") return aic::QuantMode::nvfp4;
  if (algorithm == "w4a16_nvfp4") return aic::QuantMode::w4a16_nvfp4;
  return std::nullopt;
}

/// Whether the patterns leave out a kind of linear layer.
bool leaves_out(const std::vector<std::string>& patterns, LinearKind kind) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& written) {
    const std::string p = lower_case(written);
    switch (kind) {
      case LinearKind::projection:
        return contains(p, "linear_attn") || contains(p, "self_attn");
      case LinearKind::shared_expert:
        return contains(p, "shared_expert");
      case LinearKind::dense:
        return contains(p, ".mlp") && !contains(p, "shared_expert");
    }
    return false;
  });
}

}  // namespace

bool excludes(const Checkpoint& checkpoint, std::string_view part) {
  for (const std::string& pattern : exclusion_patterns(checkpoint))
    if (contains(lower_case(pattern), part)) return true;
  return false;
}

ExcludedProjections excluded_projections(const Checkpoint& checkpoint) {
  ExcludedProjections excluded;
  for (const std::string& p : exclusion_patterns(checkpoint)) {
    const bool q = names_one_of(p, kQuery), kv = names_one_of(p, kKeyValue);
    const bool o = names_one_of(p, kOutput), indexer = names_one_of(p, kIndexer);
    if (contains(p, "self_attn") && !q && !kv && !o && !indexer) return {true, true, true, true};
    excluded.q |= q;
    excluded.kv |= kv;
    excluded.o |= o;
    excluded.indexer |= indexer;
  }
  return excluded;
}

LinearModes linear_modes(const Checkpoint& checkpoint, const QuantModes& quant) {
  std::array<aic::QuantMode, 3> modes{quant.gemm, quant.gemm, quant.gemm};
  std::array<bool, 3> written{};
  const auto result = [&] { return LinearModes{modes[0], modes[1], modes[2]}; };
  if (quant.gemm_is_explicit) return result();
  for (const json& source : {hf_quantization(checkpoint), quantization_config(checkpoint)}) {
    const auto layers = source.find("quantized_layers");
    if (layers == source.end() || !layers->is_object()) continue;
    for (const auto& [module, entry] : layers->items()) {
      const auto kind = kind_of(lower_case(module));
      const auto mode = linear_mode(module_algorithm(entry));
      if (!kind || !mode) continue;
      modes[size_t(*kind)] = *mode;
      written[size_t(*kind)] = true;
    }
  }
  const std::vector<std::string> patterns = exclusion_patterns(checkpoint);
  for (const LinearKind kind : {LinearKind::projection, LinearKind::dense, LinearKind::shared_expert})
    if (!written[size_t(kind)] && leaves_out(patterns, kind)) modes[size_t(kind)] = aic::QuantMode::bfloat16;
  return result();
}

}  // namespace perfatlas::estimate
