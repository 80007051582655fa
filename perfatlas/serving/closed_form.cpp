// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/closed_form.h"

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/constants.h"

namespace perfatlas {
namespace {

constexpr double kMostUtilisation = 0.95;  // a closed loop cannot be offered more than it serves
constexpr double kLeastIncrement = 0.2;    // of a prompt's step, that it adds to the decodes beside it

}  // namespace

ClosedFormTimes closed_form(const AggregatedCase& served) {
  const auto* loop = std::get_if<ClosedLoop>(&served.workload.arrivals);
  if (!loop) throw UsageError("the closed form knows only closed loops; simulate other arrivals");
  check_workload(served.workload);
  const Launch& launch = served.setup.launch;
  const PriceTables& prices = *served.setup.prices;
  const bool sglang = launch.engine == ServingEngine::sglang;
  const double input = served.workload.input.mean(), output = served.workload.output.mean();
  const double sequences = double(loop->users) / double(served.attention_dp);
  const double overhead = served.step_overhead_ms;

  const double decode = prices.decode.at(sequences, input + output / 2) + overhead;
  const double prompt = prices.context.at(input) + prompt_attention_ms(prices, 1, input) + overhead;
  const double budget = double(launch.token_budget);
  const double batch = std::clamp(budget / input, 1.0, std::max(1.0, sequences));
  const double batch_tokens = std::min(budget, batch * input) + (sglang ? 0 : sequences);
  const double batched_prompt =
      (prices.context.at(batch_tokens) + prompt_attention_ms(prices, batch, input)) / batch;
  const double increment =
      sglang ? prompt : std::max(prompt - prices.context.at(sequences), kLeastIncrement * prompt);
  const double tpot = decode + sequences * increment / output;

  const double utilisation = std::min(kMostUtilisation, sequences * prompt / (output * tpot + prompt));
  const double queue = 0.5 * utilisation * prompt / (1 - utilisation) * (sequences - 1) / sequences;
  const double first_wave = 0.5 * sequences * batched_prompt / double(loop->waves);
  const double path = served.path.front(served.workload.input.longest) + served.path.back_ms;
  double steps_waited = double(launch.batch_wait_iters);
  if (launch.recv_interval > 1) steps_waited += 0.5 * double(launch.recv_interval);
  steps_waited += kStreamIntervalShare.value * double(launch.stream_interval - 1);
  return {path + prompt + 0.5 * decode + std::max(0.0, queue) + first_wave + steps_waited * tpot, tpot};
}

}  // namespace perfatlas
