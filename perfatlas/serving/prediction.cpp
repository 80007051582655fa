// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/prediction.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/request_path.h"

namespace perfatlas {
namespace {

constexpr int64_t kPrefillBudget =
    8192;  // prompt tokens per step and rank of prefill workers, unless a prompt is longer

/// A TRT-LLM engine whose launch is not known was built for its load: it computes no prompt in parts, so one with a
/// budget that a prompt and the decodes beside it do not fit would stop all decodes for every prompt.
void assume_budget_for(const Workload& workload, Launch& launch) {
  constexpr int64_t kRounded = 64;
  const auto* loop = std::get_if<ClosedLoop>(&workload.arrivals);
  if (loop == nullptr) return;
  const int64_t needed = workload.input.longest + loop->users + kRounded;
  const int64_t budget = (needed + kRounded - 1) / kRounded * kRounded;
  if (budget <= launch.token_budget) return;
  std::replace(launch.assumed.begin(), launch.assumed.end(),
               fmt::format("token_budget={}", launch.token_budget), fmt::format("token_budget={}", budget));
  launch.token_budget = budget;
}

std::string prices_text(const PriceTables& prices) {
  return fmt::format("{} ({})", prices.identity, name_of(prices.source));
}

Prediction predict_aggregated(const ServingQuestion& q, const SimulationLimits& limits,
                              SimulationObserver* observer) {
  const AggregatedCase served = aggregated_case(q);
  Prediction p;
  p.result = simulate(served, limits, observer);
  p.confidence = confidence_of(served, p.result);
  p.given = served.setup.launch.given;
  p.assumed = served.setup.launch.assumed;
  if (!q.kv_capacity_tokens) p.assumed.push_back("kv_tokens=unlimited");
  p.prices = prices_text(*q.prices);
  return p;
}

Prediction predict_disaggregated(const ServingQuestion& q, const SimulationLimits& limits,
                                 SimulationObserver* observer) {
  const DisaggregatedWorkers& workers = *q.disaggregated;
  if (!workers.prefill || !workers.decode)
    throw UsageError(
        fmt::format("a disaggregated case needs the number of {} workers; give it, nothing is assumed",
                    workers.prefill ? "decode" : "prefill"));
  const PriceTables* decode = q.decode_prices ? q.decode_prices.get() : q.prices.get();
  DisaggregatedCase served{.prefill = {*workers.prefill, workers.prefill_attention_dp, q.prices.get()},
                           .decode = {*workers.decode, workers.decode_attention_dp, decode},
                           .prefill_budget_tokens = std::max(kPrefillBudget, q.workload.input.longest),
                           .path = q.path.value_or(disaggregated_path()),
                           .workload = q.workload};
  Prediction p;
  p.result = simulate(served, limits, observer);
  p.confidence = confidence_of(served);
  p.assumed = {fmt::format("prefill_budget_tokens={}", served.prefill_budget_tokens),
               "decode_kv_tokens=unlimited"};
  p.prices = prices_text(*q.prices) + (q.decode_prices ? "; decode: " + prices_text(*decode) : "");
  return p;
}

}  // namespace

AggregatedCase aggregated_case(const ServingQuestion& q) {
  if (q.engine == ServingEngine::llama_cpp && q.attention_dp != 1)
    throw UsageError("llama_cpp has no attention data parallelism; leave attention_dp at 1");
  AggregatedCase served;
  served.setup.launch = make_launch(q.engine, q.launch);
  if (q.engine == ServingEngine::trtllm && !q.launch.token_budget)
    assume_budget_for(q.workload, served.setup.launch);
  served.setup.prices = q.prices.get();
  if (q.kv_capacity_tokens) served.setup.kv_capacity_tokens = *q.kv_capacity_tokens;
  served.attention_dp = q.attention_dp;
  served.step_overhead_ms = q.step_overhead_ms.value_or(served.setup.launch.step_overhead_ms());
  served.path = q.path.value_or(request_path(q.workload));
  served.workload = q.workload;
  return served;
}

std::optional<int64_t> longest_request(const ServingQuestion& q) {
  return q.max_seq_len ? q.max_seq_len : q.prices->max_seq_len;
}

void check_context(const ServingQuestion& q) {
  const auto most = longest_request(q);
  if (!most) return;
  if (*most < 1) throw UsageError(fmt::format("max_seq_len is {}; it must be at least 1", *most));
  if (std::holds_alternative<std::shared_ptr<TraceSource>>(q.workload.arrivals)) return;
  check_workload(q.workload);  // else the sum below may overflow
  const int64_t needed = q.workload.input.longest + q.workload.output.longest;
  if (needed > *most)
    throw UsageError(fmt::format(
        "isl {} and osl {} need {} tokens, {}; shorten them, or give max_seq_len if the engine takes them",
        q.workload.input.longest, q.workload.output.longest, needed,
        q.max_seq_len ? fmt::format("max_seq_len is {}", *most)
                      : fmt::format("the model's context has {}", *most)));
}

Prediction predict(const ServingQuestion& question, const SimulationLimits& limits,
                   SimulationObserver* observer) {
  Prediction p = question.disaggregated ? predict_disaggregated(question, limits, observer)
                                        : predict_aggregated(question, limits, observer);
  p.name = question.name.empty()
               ? fmt::format("{} on {}", question.prices->identity, name_of(question.engine))
               : question.name;
  return p;
}

}  // namespace perfatlas
