// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/quantisation.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/models/quantisation_config.h"

namespace perfatlas::estimate {
namespace {

using nlohmann::json;
using Mode = aic::QuantMode;

constexpr int kBlackwell = 100, kHopper = 90;

void set_if_absent(std::optional<Mode>& mode, std::optional<Mode> value) {
  if (!mode) mode = value;
}

/// The first config group with known bits: int 4, int 8, float 8 (in blocks or not), float 4.
std::optional<Mode> compressed_tensors_mode(const json& config) {
  const auto groups = config.find("config_groups");
  if (groups == config.end() || !groups->is_object()) return std::nullopt;
  for (const auto& [name, group] : groups->items()) {
    const json weights = group.is_object() ? group.value("weights", json::object()) : json::object();
    if (!weights.is_object() || !weights.contains("num_bits") || !weights["num_bits"].is_number_integer())
      continue;
    const int bits = weights["num_bits"].get<int>();
    const auto named = weights.find("type");
    const std::string type =
        named != weights.end() && named->is_string() ? named->get<std::string>() : std::string();
    const bool integer = type.find("int") != std::string::npos,
               real = type.find("float") != std::string::npos;
    if (bits == 4 && integer) return Mode::int4_wo;
    if (bits == 8 && integer) return Mode::int8_wo;
    if (bits == 4 && real) return Mode::w4a16_mxfp4;
    if (bits != 8 || !real) continue;
    const auto strategy = weights.find("strategy");
    const auto blocks = weights.find("block_structure");
    const bool in_blocks = (strategy != weights.end() && *strategy == "block") ||
                           (blocks != weights.end() && !blocks->is_null() && !blocks->empty());
    return in_blocks ? Mode::fp8_block : Mode::fp8;
  }
  return std::nullopt;
}

struct Ignored {
  bool attention = false, routed_experts = false;
};

Ignored compressed_tensors_ignored(const json& config) {
  Ignored ignored;
  const auto list = config.find("ignore");
  if (list == config.end() || !list->is_array()) return ignored;
  for (const json& entry : *list) {
    if (!entry.is_string()) continue;
    const std::string p = lower_case(entry.get<std::string>());
    for (const char* part : {"self_attn", "q_proj", "k_proj", "v_proj", "o_proj"})
      ignored.attention |= p.find(part) != std::string::npos;
    ignored.routed_experts |=
        p.find("expert") != std::string::npos && p.find("shared_expert") == std::string::npos;
  }
  return ignored;
}

Mode fp8_linear(const QuantisationWords& words) {
  return words.dynamic.value_or(false) ? Mode::fp8 : Mode::fp8_static;
}

QuantChoice mixed_precision(const Checkpoint& checkpoint, const QuantisationWords& words) {
  const ModuleAlgorithms modules = module_algorithms(checkpoint);
  const json config = quantization_config(checkpoint);
  const bool base_fp8 = config.value("quant_method", json()) == "fp8";
  const auto block = config.find("weight_block_size");
  const bool in_blocks = block != config.end() && block->is_array() && !block->empty();
  QuantChoice choice;
  if (base_fp8)
    choice.gemm = in_blocks ? Mode::fp8_block : fp8_linear(words);
  else if (modules.linear.contains("mxfp8"))
    choice.gemm = Mode::fp8_block;
  else if (modules.linear.contains("fp8"))
    choice.gemm = fp8_linear(words);
  else if (modules.linear.contains("w4a16_nvfp4"))
    choice.gemm = Mode::w4a16_nvfp4;
  else if (modules.linear.contains("nvfp4"))
    choice.gemm = Mode::nvfp4;
  if (modules.experts.contains("w4a16_nvfp4"))
    choice.moe = Mode::w4a16_nvfp4;
  else if (modules.experts.contains("nvfp4"))
    choice.moe = Mode::nvfp4;
  else if (modules.experts.contains("mxfp8"))
    choice.moe = Mode::fp8_block;
  else if (modules.experts.contains("fp8"))
    choice.moe = Mode::fp8;
  return choice;
}

QuantChoice by_algorithm(const Checkpoint& checkpoint, const QuantisationWords& words) {
  const std::string& algorithm = words.algorithm;
  QuantChoice choice;
  if (algorithm.empty()) return choice;
  if (algorithm == "fp8") {
    choice.gemm = fp8_linear(words);
    choice.moe = Mode::fp8;
  } else if (algorithm == "fp8_block") {
    choice.gemm = choice.moe = Mode::fp8_block;
  } else if (algorithm == "nvfp4") {
    choice.gemm = choice.moe = Mode::nvfp4;
  } else if (algorithm == "mxfp4") {
    choice.gemm = Mode::bfloat16;
    choice.moe = Mode::w4a16_mxfp4;
  } else if (algorithm == "mixed_precision") {
    choice = mixed_precision(checkpoint, words);
  } else if (algorithm == "compressed-tensors") {
    const json config = quantization_config(checkpoint);
    const auto mode = compressed_tensors_mode(config);
    const Ignored ignored = compressed_tensors_ignored(config);
    if (mode && !ignored.attention) choice.gemm = mode;
    if (mode && !ignored.routed_experts) choice.moe = mode;
  } else {
    throw Error(
        fmt::format("{}: quantisation algorithm '{}' is not known; known: fp8, fp8_block, nvfp4, mxfp4, "
                    "mixed_precision and compressed-tensors; all of --gemm-quant-mode, --moe-quant-mode, "
                    "--kvcache-quant-mode and --fmha-quant-mode override it",
                    checkpoint.root.origin(), algorithm));
  }
  return choice;
}

bool is_v4(const Checkpoint& checkpoint) { return checkpoint.architecture() == "DeepseekV4ForCausalLM"; }

bool has_fp4_experts(const Checkpoint& checkpoint) {
  return is_v4(checkpoint) && checkpoint.root.text_if("expert_dtype").value_or("") == "fp4";
}

/// aiconfigurator knows by their id the weights whose experts get 8-bit activations, not by what the file says of them.
constexpr std::string_view kKimiK3 = "moonshotai/Kimi-K3";

/// The kernels that SGLang runs a checkpoint's 4-bit experts with, by GPU generation.
std::optional<Mode> sglang_expert_mode(const Checkpoint& checkpoint, const QuantQuestion& q) {
  if (q.framework != Framework::sglang) return std::nullopt;
  if (has_fp4_experts(checkpoint) && q.moe_backend != "megamoe" &&
      !module_algorithms(checkpoint).experts.contains("nvfp4")) {
    if (q.sm_version >= kBlackwell) return Mode::w4a8_mxfp4_mxfp8_trtllm;
    if (q.sm_version == kHopper) return Mode::w4a16_mxfp4_cutlass;
  }
  if (checkpoint.name == kKimiK3 && q.sm_version >= kBlackwell) return Mode::w4a8_mxfp4_mxfp8;
  return std::nullopt;
}

/// vLLM runs Nemotron-H's weight-only 4-bit experts with 4-bit activations.
Mode vllm_expert_mode(Mode mode, const Checkpoint& checkpoint, const QuantQuestion& q) {
  const bool applies = q.framework == Framework::vllm && checkpoint.architecture() == "NemotronHForCausalLM";
  return applies && mode == Mode::w4a16_nvfp4 ? Mode::nvfp4 : mode;
}

/// Attention in fp8 that a checkpoint implies and these kernels do not have.
bool runs_attention_in_bf16(const ServedModel& model, Framework framework) {
  if (framework == Framework::vllm) return true;
  return model.family() == Family::deepseek_v32 || model.family() == Family::deepseek_v4;
}

void fall_back_where_not_measured(QuantChoice& modes, const QuantChoice& inferred,
                                  const MeasuredFmha& measured) {
  const std::vector<Mode> types = measured(modes.kv ? modes.kv : inferred.kv);
  const auto has = [&](Mode mode) { return std::find(types.begin(), types.end(), mode) != types.end(); };
  if (types.empty() || has(Mode::fp8)) return;
  if (modes.fmha == Mode::fp8)
    throw UsageError(
        "--fmha-quant-mode fp8 was not measured for this system, back end and version; use bfloat16, or "
        "leave it out");
  if (!modes.fmha && inferred.fmha == Mode::fp8 && has(Mode::bfloat16)) modes.fmha = Mode::bfloat16;
}

void fit_gpu(QuantChoice& modes, const ServedModel& model, const QuantChoice& inferred,
             const QuantQuestion& q) {
  const Checkpoint& checkpoint = model.checkpoint();
  if (!modes.moe) modes.moe = sglang_expert_mode(checkpoint, q);
  const bool gpt_oss = checkpoint.architecture() == "GptOssForCausalLM";
  if (q.searching && !modes.moe && gpt_oss && q.framework == Framework::trtllm && q.sm_version >= kBlackwell)
    modes.moe = Mode::w4a8_mxfp4_mxfp8;
  if (q.sm_version >= kBlackwell) return;
  // Older GPUs have no 4-bit tensor cores: the weights are expanded.
  const std::optional<Mode> gemm = modes.gemm ? modes.gemm : inferred.gemm;
  std::optional<Mode> moe = modes.moe ? modes.moe : inferred.moe;
  if (!modes.moe && moe) moe = vllm_expert_mode(*moe, checkpoint, q);
  if (gemm == Mode::nvfp4) modes.gemm = Mode::nvfp4_wo;
  if (moe == Mode::nvfp4) modes.moe = Mode::nvfp4_wo;
}

}  // namespace

QuantChoice checkpoint_quant(const Checkpoint& checkpoint) {
  const QuantisationWords words = quantisation_words(checkpoint);
  QuantChoice choice = by_algorithm(checkpoint, words);
  if (has_fp4_experts(checkpoint) && choice.moe != Mode::nvfp4) choice.moe = Mode::w4a8_mxfp4_mxfp8;
  if (words.kv_algorithm == "fp8")
    choice.kv = Mode::fp8;
  else if (words.kv_algorithm == "bfloat16")
    choice.kv = Mode::bfloat16;
  else if (!words.kv_algorithm.empty())
    throw Error(fmt::format("{}: KV cache type '{}' is not known; known: fp8 and bfloat16",
                            checkpoint.root.origin(), words.kv_algorithm));
  if (is_v4(checkpoint)) choice.kv = Mode::fp8;
  const std::string& algorithm = words.algorithm;
  const bool fp8_compute = algorithm == "fp8" || algorithm == "fp8_block" || algorithm == "nvfp4";
  if (fp8_compute || (!algorithm.empty() && words.kv_algorithm == "fp8")) {
    choice.fmha = Mode::fp8;
    choice.kv = Mode::fp8;
  }
  return choice;
}

QuantModes resolve_quant(const ServedModel& model, const QuantQuestion& q, const MeasuredFmha& measured) {
  const QuantChoice inferred = checkpoint_quant(model.checkpoint());
  QuantChoice modes = q.chosen;
  const bool wide_sglang = q.wide_experts && q.framework == Framework::sglang &&
                           model.family() == Family::deepseek &&
                           model.checkpoint().architecture() == "DeepseekV3ForCausalLM";
  // A search falls back for every worker; a single estimate keeps the checkpoint's type where experts span nodes.
  if ((q.searching ? !wide_sglang : !q.wide_experts) && q.runs_prefill)
    fall_back_where_not_measured(modes, inferred, measured);
  if (wide_sglang) {
    set_if_absent(modes.fmha, Mode::fp8_block);
    set_if_absent(modes.kv, Mode::fp8);
  }
  const bool fmha_open = !modes.fmha;
  fit_gpu(modes, model, inferred, q);
  const bool moe_open = !modes.moe;
  const bool gemm_explicit =
      q.searching ? q.chosen.gemm.has_value() : modes.gemm.has_value() || q.wide_experts;
  set_if_absent(modes.gemm, inferred.gemm);
  set_if_absent(modes.moe, inferred.moe);
  set_if_absent(modes.kv, inferred.kv);
  set_if_absent(modes.fmha, inferred.fmha);
  QuantModes out;
  out.gemm = modes.gemm.value_or(Mode::bfloat16);
  out.moe = modes.moe.value_or(Mode::bfloat16);
  out.kv = modes.kv.value_or(Mode::bfloat16);
  out.fmha = modes.fmha.value_or(Mode::bfloat16);
  out.comm = modes.comm.value_or(Mode::half);
  out.gemm_is_explicit = gemm_explicit;
  if (fmha_open && out.fmha == Mode::fp8 && runs_attention_in_bf16(model, q.framework))
    out.fmha = Mode::bfloat16;
  if (moe_open) out.moe = vllm_expert_mode(out.moe, model.checkpoint(), q);
  return out;
}

}  // namespace perfatlas::estimate
