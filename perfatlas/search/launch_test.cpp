// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/launch.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

using estimate::Framework;

LaunchPlan experts(Framework framework) {
  return {.role = WorkerRole::decode,
          .model = "org/model",
          .framework = framework,
          .parallel = {.tp = 2, .dp = 4, .moe_tp = 1, .moe_ep = 8},
          .has_experts = true,
          .kv_in_fp8 = true,
          .max_running = 16,
          .token_budget = 2048,
          .max_sequence = 5000,
          .memory_fraction = 0.9};
}

TEST(Launch, VllmNamesEveryWidthThatWasEstimated) {
  EXPECT_EQ(launch_command(experts(Framework::vllm)),
            "vllm serve org/model \\\n"
            "  --tensor-parallel-size 2 \\\n"
            "  --max-num-seqs 16 \\\n"
            "  --gpu-memory-utilization 0.9 \\\n"
            "  --data-parallel-size 4 \\\n"
            "  --enable-expert-parallel \\\n"
            "  --max-num-batched-tokens 2048 \\\n"
            "  --max-model-len 5000 \\\n"
            "  --kv-cache-dtype fp8 \\\n"
            "  --kv-transfer-config '{\"kv_connector\":\"NixlConnector\",\"kv_role\":\"kv_both\"}'\n");
}

TEST(Launch, SglangCountsAllRanksAsTensorParallel) {
  const std::string text = launch_command(experts(Framework::sglang));
  for (const char* part :
       {"--tp-size 8", "--dp-size 4 --enable-dp-attention", "--ep-size 8", "--max-running-requests 64",
        "--disaggregation-mode decode", "--chunked-prefill-size -1"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(Launch, TrtllmPutsMemoryAndAttentionReplicasIntoItsFile) {
  const std::string text = launch_command(experts(Framework::trtllm));
  for (const char* part :
       {"cat >decode.yaml", "enable_attention_dp: true", "free_gpu_memory_fraction: 0.9", "  dtype: fp8",
        "--tp_size 8", "--ep_size 8", "--config decode.yaml", "cache_transceiver_config:"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(Launch, ADenseAggregatedWorkerHasNoOtherFlags) {
  EXPECT_EQ(
      launch_command({.model = "m", .framework = Framework::vllm, .max_running = 4, .memory_fraction = 0.92}),
      "vllm serve m \\\n  --tensor-parallel-size 1 \\\n  --max-num-seqs 4 \\\n"
      "  --gpu-memory-utilization 0.92\n");
}

}  // namespace
}  // namespace perfatlas
