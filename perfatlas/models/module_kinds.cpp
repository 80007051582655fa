// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/models/module_kinds.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "perfatlas/base/text.h"
#include "perfatlas/models/quantisation_config.h"

namespace perfatlas {
namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

/// The digits after "layers.", also as a regular expression writes them ("layers\.3\."); empty without a number.
std::string layer_number(std::string_view pattern) {
  constexpr std::string_view kLayers = "layers";
  size_t at = pattern.find(kLayers);
  if (at == std::string_view::npos) return {};
  at += kLayers.size();
  while (at < pattern.size() && (pattern[at] == '.' || pattern[at] == '\\')) ++at;
  const size_t end = pattern.find_first_not_of("0123456789", at);
  return std::string(pattern.substr(at, end == std::string_view::npos ? end : end - at));
}

}  // namespace

bool names_kind(const std::string& pattern, ModuleKind kind) {
  const std::string p = lower_case(pattern);
  if (p == "linear") return true;
  if (contains_any(p, {"norm", "bias", "conv1d", "indexer", "router", "mlp.gate.", "shared_expert_gate",
                       "in_proj_a", "in_proj_b"}) ||
      p.ends_with("gate") || p.ends_with("gate$"))
    return false;
  const bool shared = contains_any(p, {"shared_expert"});
  if (kind == ModuleKind::shared_expert) return shared;
  const bool experts = !shared && contains_any(p, {"expert"});
  if (kind == ModuleKind::experts) return experts;
  if (shared || experts) return false;
  if (kind == ModuleKind::dense) return contains_any(p, {"mlp", "feed_forward"});
  const bool output = contains_any(p, {"o_proj", "out_proj"});
  const bool input = contains_any(
      p, {"q_proj", "k_proj", "v_proj", "q_a_proj", "q_b_proj", "kv_a_proj", "kv_b_proj", "qkv", "in_proj"});
  const bool whole = !output && !input && contains_any(p, {"self_attn", "linear_attn"});
  return whole || (kind == ModuleKind::output ? output : input);
}

bool leaves_out(const std::vector<std::string>& patterns, ModuleKind kind, int64_t layers) {
  std::set<std::string> numbers;
  for (const std::string& pattern : patterns) {
    if (!names_kind(pattern, kind)) continue;
    const std::string number = layer_number(pattern);
    if (number.empty()) return true;
    numbers.insert(number);
  }
  return int64_t(numbers.size()) * 2 >= layers;
}

}  // namespace perfatlas
