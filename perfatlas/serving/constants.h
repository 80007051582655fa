// SPDX-License-Identifier: Apache-2.0
// Every fitted or observed number of the serving prediction. None depends on a model, a system or a version.
// They were fitted to one half of 5,221 published serving measurements (the "dev" half), by the mean of
// |ln(predicted / measured)|; `low` and `high` are the extremes over refits that left one model, engine or system out.
#pragma once

#include <array>
#include <string_view>

namespace perfatlas {

struct ServingConstant {
  std::string_view name;
  double value;
  std::string_view unit;
  std::string_view meaning;
  std::string_view evidence;
  double low, high;
};

inline constexpr ServingConstant kRequestPath{
    "request_path",
    40,
    "ms",
    "HTTP, IPC, first detokenise and client; half before the engine, half after",
    "16 of 19 refits give 40; without it the median TTFT error is 41 % instead of 25 %",
    30,
    60};
inline constexpr ServingConstant kPromptPath{"prompt_path",
                                             3,
                                             "ms per 1000 prompt tokens",
                                             "tokenise, hash and copy the prompt, before the engine",
                                             "14 of 20 refits give 3",
                                             0,
                                             6};
inline constexpr ServingConstant kSglangStepOverhead{"sglang_step_overhead",
                                                     2.0,
                                                     "ms per step",
                                                     "host work of SGLang that kernels do not hide",
                                                     "13 of 18 refits give 2.0",
                                                     1.6,
                                                     2.4};
inline constexpr ServingConstant kVllmStepOverhead{
    "vllm_step_overhead",
    1.2,
    "ms per step",
    "host work of vLLM without asynchronous scheduling",
    "chosen between 1.6 (15 of 18 refits) and 0 (without MiniMax): the weakest constant",
    0,
    2.0};
inline constexpr ServingConstant kVllmAsyncStepOverhead{"vllm_async_step_overhead",
                                                        0.4,
                                                        "ms per step",
                                                        "host work of vLLM with asynchronous scheduling",
                                                        "16 of 18 refits give 0.4",
                                                        0.2,
                                                        0.8};
inline constexpr ServingConstant kTrtllmStepOverhead{"trtllm_step_overhead",
                                                     0,
                                                     "ms per step",
                                                     "host work of TRT-LLM: its overlap scheduler hides it",
                                                     "14 of 18 refits give 0",
                                                     0,
                                                     0.4};
inline constexpr ServingConstant kStreamIntervalShare{
    "stream_interval_share",
    0.5,
    "decode steps per step of the interval",
    "delay of the reported first token by SGLang's stream interval",
    "observed over 184 measurements; the engine's source shows no mechanism",
    0,
    0.75};
inline constexpr ServingConstant kHandOver{
    "hand_over",
    200,
    "ms",
    "disaggregated pools: route, move the KV cache, enter the second engine",
    "15 of 19 refits give 200; nearly flat from 100 to 300",
    150,
    300};
inline constexpr ServingConstant kPhaseLockRatio{
    "phase_lock_ratio",
    0.95,
    "shortest / longest length",
    "spread given to runs of constant length on vLLM and TRT-LLM: real users lose lock step, simulated ones "
    "would not",
    "0.9 to 0.98 are equally good; SGLang keeps 1, it locks by design",
    0.9,
    0.98};
inline constexpr ServingConstant kMemoryShare{
    "memory_share",
    0.95,
    "of the memory",
    "vLLM, SGLang: KV cache = share * memory - weights - reserve. Optimistic: a false full cache costs 10 to "
    "100 times",
    "a conservative estimate raises the mean TTFT error from 39 to 156 %",
    0.9,
    0.95};
inline constexpr ServingConstant kTrtllmFreeShare{"trtllm_free_share",
                                                  0.90,
                                                  "of what weights and reserve leave",
                                                  "TRT-LLM: KV cache = share * (memory - weights - reserve)",
                                                  "the engine's documented default",
                                                  0.90,
                                                  0.90};
inline constexpr ServingConstant kMemoryReserve{
    "memory_reserve", 2, "GiB", "activations, workspace and context of one GPU", "as memory_share", 2, 3.5};
inline constexpr ServingConstant kLeastKvShare{
    "least_kv_share",
    0.05,
    "of the memory",
    "least KV cache of a configuration whose weights fit: it queues instead",
    "85 of 86 refused configurations did run",
    0.05,
    0.05};

/// For `perfatlas simulate --constants`, in the order of the prediction.
inline constexpr std::array kServingConstants{
    kRequestPath,        kPromptPath,          kSglangStepOverhead, kVllmStepOverhead, kVllmAsyncStepOverhead,
    kTrtllmStepOverhead, kStreamIntervalShare, kHandOver,           kPhaseLockRatio,   kMemoryShare,
    kTrtllmFreeShare,    kMemoryReserve,       kLeastKvShare};

}  // namespace perfatlas
