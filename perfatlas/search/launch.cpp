// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/launch.h"

#include <fmt/format.h>

#include <vector>

namespace perfatlas {
namespace {

using Flags = std::vector<std::string>;

std::string command(const std::string& program, const Flags& flags) {
  std::string text = program;
  for (const std::string& flag : flags) text += " \\\n  " + flag;
  return text + "\n";
}

template <class Value>
std::string flag(std::string_view name, const Value& value) {
  return fmt::format("{} {}", name, value);
}

std::string vllm(const LaunchPlan& plan) {
  const estimate::Parallel& ranks = plan.parallel;
  Flags flags{flag("--tensor-parallel-size", ranks.tp), flag("--max-num-seqs", plan.max_running),
              flag("--gpu-memory-utilization", plan.memory_fraction)};
  if (ranks.pp > 1) flags.push_back(flag("--pipeline-parallel-size", ranks.pp));
  if (ranks.dp > 1) flags.push_back(flag("--data-parallel-size", ranks.dp));
  if (plan.has_experts && ranks.expert_ep() > 1) flags.push_back("--enable-expert-parallel");
  if (plan.token_budget > 0) flags.push_back(flag("--max-num-batched-tokens", plan.token_budget));
  if (plan.max_sequence > 0) flags.push_back(flag("--max-model-len", plan.max_sequence));
  if (plan.kv_in_fp8) flags.push_back("--kv-cache-dtype fp8");
  if (plan.drafted_tokens > 0)
    flags.push_back(fmt::format(R"(--speculative-config '{{"method":"mtp","num_speculative_tokens":{}}}')",
                                plan.drafted_tokens));
  if (plan.role != WorkerRole::aggregated)
    flags.push_back(R"(--kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_both"}')");
  return command("vllm serve " + plan.model, flags);
}

std::string sglang(const LaunchPlan& plan) {
  const estimate::Parallel& ranks = plan.parallel;
  // SGLang counts all ranks of a stage as its tensor-parallel size and divides them among attention replicas.
  Flags flags{flag("--model-path", plan.model), flag("--tp-size", ranks.tp * ranks.dp),
              flag("--max-running-requests", plan.max_running * ranks.dp),
              flag("--mem-fraction-static", plan.memory_fraction)};
  if (ranks.pp > 1) flags.push_back(flag("--pp-size", ranks.pp));
  if (ranks.dp > 1) flags.push_back(fmt::format("--dp-size {} --enable-dp-attention", ranks.dp));
  if (plan.has_experts && ranks.expert_ep() > 1) flags.push_back(flag("--ep-size", ranks.expert_ep()));
  if (plan.token_budget > 0) {
    flags.push_back(flag("--chunked-prefill-size", plan.chunked_prefill ? plan.token_budget : -1));
    flags.push_back(flag("--max-prefill-tokens", plan.token_budget));
  }
  if (plan.max_sequence > 0) flags.push_back(flag("--context-length", plan.max_sequence));
  if (plan.kv_in_fp8) flags.push_back("--kv-cache-dtype fp8_e4m3");
  if (plan.drafted_tokens > 0)
    flags.push_back(
        fmt::format("--speculative-algorithm NEXTN --speculative-num-steps {}", plan.drafted_tokens));
  if (plan.role == WorkerRole::prefill) flags.push_back("--disaggregation-mode prefill");
  if (plan.role == WorkerRole::decode) flags.push_back("--disaggregation-mode decode");
  return command("python3 -m sglang.launch_server", flags);
}

std::string trtllm(const LaunchPlan& plan) {
  const estimate::Parallel& ranks = plan.parallel;
  std::string config = fmt::format(
      "enable_attention_dp: {}\nenable_chunked_prefill: {}\nkv_cache_config:\n  dtype: {}\n"
      "  free_gpu_memory_fraction: {}\ncuda_graph_config:\n  enable_padding: true\n  max_batch_size: {}\n",
      ranks.dp > 1, plan.chunked_prefill, plan.kv_in_fp8 ? "fp8" : "auto", plan.memory_fraction,
      plan.max_running);
  if (plan.role != WorkerRole::aggregated) config += "cache_transceiver_config:\n  backend: DEFAULT\n";
  if (plan.drafted_tokens > 0)
    config += fmt::format("speculative_config:\n  decoding_type: MTP\n  num_nextn_predict_layers: {}\n",
                          plan.drafted_tokens);
  Flags flags{flag("--tp_size", ranks.tp * ranks.dp), flag("--pp_size", ranks.pp),
              flag("--max_batch_size", plan.max_running)};
  if (plan.has_experts) flags.push_back(flag("--ep_size", ranks.expert_ep()));
  if (plan.token_budget > 0) flags.push_back(flag("--max_num_tokens", plan.token_budget));
  if (plan.max_sequence > 0) flags.push_back(flag("--max_seq_len", plan.max_sequence));
  const std::string file = plan.role == WorkerRole::prefill  ? "prefill.yaml"
                           : plan.role == WorkerRole::decode ? "decode.yaml"
                                                             : "worker.yaml";
  flags.push_back(flag("--config", file));
  return fmt::format("cat >{} <<'EOF'\n{}EOF\n", file, config) + command("trtllm-serve " + plan.model, flags);
}

}  // namespace

std::string launch_command(const LaunchPlan& plan) {
  switch (plan.framework) {
    case estimate::Framework::vllm:
      return vllm(plan);
    case estimate::Framework::sglang:
      return sglang(plan);
    case estimate::Framework::trtllm:
      return trtllm(plan);
  }
  return {};
}

}  // namespace perfatlas
