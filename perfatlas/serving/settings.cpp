// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {
namespace {

using Q = ServingQuestion;
using Text = std::string_view;

int64_t whole(Text name, Text value) {
  if (const auto parsed = parse_integer(value)) return *parsed;
  throw UsageError(fmt::format("{} is '{}'; give a whole number", name, value));
}

uint32_t seed(Text name, Text value) {
  constexpr uint32_t kLast = std::numeric_limits<uint32_t>::max();
  const int64_t parsed = whole(name, value);
  if (parsed < 0 || parsed > int64_t(kLast))
    throw UsageError(fmt::format("{} is {}; give 0 to {}", name, value, kLast));
  return uint32_t(parsed);
}

double real(Text name, Text value) {
  if (const auto parsed = parse_real(value)) return *parsed;
  throw UsageError(fmt::format("{} is '{}'; give a number", name, value));
}

double not_negative(Text name, Text value) {
  const double parsed = real(name, value);
  if (parsed < 0) throw UsageError(fmt::format("{} is {}; it cannot be negative", name, value));
  return parsed;
}

double milliseconds(Text name, Text value) {
  constexpr double kMost = 1e9;  // eleven days; far beyond, times lose their decimals
  const double parsed = not_negative(name, value);
  if (parsed > kMost) throw UsageError(fmt::format("{} is {}; give at most {:.0f} ms", name, value, kMost));
  return parsed;
}

bool truth(Text name, Text value) {
  if (value == "true" || value == "on") return true;
  if (value == "false" || value == "off") return false;
  throw UsageError(fmt::format("{} is '{}'; give true or false", name, value));
}

ServingEngine engine(Text, Text value) {
  if (const auto parsed = FieldCodec<ServingEngine>::parse(value)) return ServingEngine(*parsed);
  throw UsageError(
      fmt::format("engine '{}' is not known; known are vllm, sglang, trtllm and llama_cpp", value));
}

ClosedLoop& closed_loop(Q& q) {
  if (!q.workload.is_closed_loop()) q.workload.arrivals = ClosedLoop{};
  return std::get<ClosedLoop>(q.workload.arrivals);
}

DisaggregatedWorkers& pools(Q& q) {
  if (!q.disaggregated) q.disaggregated.emplace();
  return *q.disaggregated;
}

void set_requests(Q& q, Text name, Text value) {
  if (auto* poisson = std::get_if<PoissonArrivals>(&q.workload.arrivals))
    poisson->requests = whole(name, value);
  else
    closed_loop(q).requests = whole(name, value);
}

RequestPath& path(Q& q) {
  if (!q.path) q.path.emplace();
  return *q.path;
}

constexpr std::array kSettings{
    Setting{"engine", "vllm, sglang, trtllm or llama_cpp",
            [](Q& q, Text n, Text v) { q.engine = engine(n, v); }},
    Setting{"users", "Closed loop: so many users, each with one request under way",
            [](Q& q, Text n, Text v) { closed_loop(q).users = whole(n, v); }},
    Setting{
        "rate", "Poisson arrivals: requests per second",
        [](Q& q, Text n, Text v) { q.workload.arrivals = PoissonArrivals{.requests_per_s = real(n, v)}; }},
    Setting{"requests", "Requests in all; closed loop: instead of waves", set_requests},
    Setting{"waves", "Closed loop: requests per user on average (10)",
            [](Q& q, Text n, Text v) { closed_loop(q).waves = whole(n, v); }},
    Setting{"isl", "Prompt tokens, the longest",
            [](Q& q, Text n, Text v) { q.workload.input.longest = whole(n, v); }},
    Setting{"osl", "Output tokens, the most",
            [](Q& q, Text n, Text v) { q.workload.output.longest = whole(n, v); }},
    Setting{"length_ratio", "Shortest over longest length, drawn evenly between; 1: constant (0.8)",
            [](Q& q, Text n, Text v) { q.workload.input.ratio = q.workload.output.ratio = real(n, v); }},
    Setting{"seed", "Of lengths and arrival times (1)",
            [](Q& q, Text n, Text v) { q.workload.seed = seed(n, v); }},
    Setting{"token_budget",
            "Tokens per step: max-num-batched-tokens, chunked-prefill-size, max_num_tokens, batch-size",
            [](Q& q, Text n, Text v) { q.launch.token_budget = whole(n, v); }},
    Setting{"max_running",
            "Requests at once per rank: max-num-seqs, max-running-requests, max_batch_size, parallel",
            [](Q& q, Text n, Text v) { q.launch.max_running = whole(n, v); }},
    Setting{"recv_interval", "SGLang scheduler-recv-interval, decode steps",
            [](Q& q, Text n, Text v) { q.launch.recv_interval = whole(n, v); }},
    Setting{"stream_interval", "SGLang stream-interval, decode steps",
            [](Q& q, Text n, Text v) { q.launch.stream_interval = whole(n, v); }},
    Setting{"batch_wait_iters", "TRT-LLM batch_wait_timeout_iters",
            [](Q& q, Text n, Text v) { q.launch.batch_wait_iters = whole(n, v); }},
    Setting{"async_scheduling", "vLLM async-scheduling",
            [](Q& q, Text n, Text v) { q.launch.async_scheduling = truth(n, v); }},
    Setting{"micro_batch", "llama.cpp ubatch-size",
            [](Q& q, Text n, Text v) { q.launch.micro_batch = whole(n, v); }},
    Setting{"unified_kv", "llama.cpp kv-unified",
            [](Q& q, Text n, Text v) { q.launch.unified_kv = truth(n, v); }},
    Setting{"attention_dp", "Attention data-parallel ranks (1)",
            [](Q& q, Text n, Text v) { q.attention_dp = whole(n, v); }},
    Setting{"kv_tokens", "KV cache of a rank, tokens; default: unlimited",
            [](Q& q, Text n, Text v) { q.kv_capacity_tokens = not_negative(n, v); }},
    Setting{
        "max_seq_len",
        "Tokens of a request, prompt and output: max-model-len, context-length, max_seq_len; default: the "
        "model's context",
        [](Q& q, Text n, Text v) { q.max_seq_len = whole(n, v); }},
    Setting{"step_overhead_ms", "Host time per step; default: the engine's constant",
            [](Q& q, Text n, Text v) { q.step_overhead_ms = milliseconds(n, v); }},
    Setting{"front_ms", "Time from user to engine; default: the constants",
            [](Q& q, Text n, Text v) { path(q).front_ms = milliseconds(n, v); }},
    Setting{"back_ms", "Time from engine to user; default: the constants",
            [](Q& q, Text n, Text v) { path(q).back_ms = milliseconds(n, v); }},
    Setting{"prefill_workers", "Disaggregated: engines that compute prompts",
            [](Q& q, Text n, Text v) { pools(q).prefill = whole(n, v); }},
    Setting{"decode_workers", "Disaggregated: engines that decode",
            [](Q& q, Text n, Text v) { pools(q).decode = whole(n, v); }},
    Setting{"prefill_attention_dp", "Disaggregated: attention ranks of a prefill worker (1)",
            [](Q& q, Text n, Text v) { pools(q).prefill_attention_dp = whole(n, v); }},
    Setting{"decode_attention_dp", "Disaggregated: attention ranks of a decode worker (1)",
            [](Q& q, Text n, Text v) { pools(q).decode_attention_dp = whole(n, v); }},
    Setting{"name", "What to call this case", [](Q& q, Text, Text v) { q.name = v; }}};

}  // namespace

std::span<const Setting> serving_settings() { return kSettings; }

void apply_setting(ServingQuestion& question, std::string_view name, std::string_view value) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [&](const Setting& setting) { return setting.name == name; });
  if (found != kSettings.end()) return found->set(question, name, value);
  std::vector<std::string_view> known;
  for (const Setting& setting : kSettings) known.push_back(setting.name);
  const std::string_view guess = nearest_word(name, known);
  throw UsageError(fmt::format("there is no setting '{}'{}; known are {}", name,
                               guess.empty() ? "" : fmt::format(" (did you mean {}?)", guess),
                               join_words(known)));
}

}  // namespace perfatlas
