// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/silicon_simulation.h"

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/pricing/request_pricer.h"
#include "perfatlas/pricing/silicon_case.h"
#include "perfatlas/serving/closed_form.h"
#include "perfatlas/serving/prediction.h"

namespace perfatlas {
namespace {

estimate::Prediction times(const ServingQuestion& question, QueueModel model) {
  if (model == QueueModel::closed_form) {
    if (question.disaggregated) throw UsageError("the closed form knows no disaggregated pools");
    const ClosedFormTimes times = closed_form(aggregated_case(question));
    return {times.ttft_ms, times.tpot_ms};
  }
  const SimulationResult result = predict(question).result;
  return {result.ttft_ms.mean, result.tpot_ms.mean};
}

/// The row's label of types where the checkpoint's own types cannot be split that way or have no prices.
void price(SiliconCase& c, const estimate::QuantChoice& label, RequestPricer& pricer) {
  try {
    pricer.price(c.request, true, c.question);
  } catch (const Error&) {
    if (c.request.quant.gemm == label.gemm && c.request.quant.moe == label.moe) throw;
    c.request.quant.gemm = label.gemm;
    c.request.quant.moe = label.moe;
    pricer.price(c.request, true, c.question);
  }
}

PricedRun priced(const estimate::SiliconRun& run, estimate::Session& session, RequestPricer& pricer,
                 bool launch_known) {
  try {
    SiliconCase c = silicon_case(run);
    if (!c.refusal.empty()) return {.failure = c.refusal};
    estimate::drop_unused_widths(session, c.request);
    price(c, run.request.quant, pricer);
    if (!launch_known) c.question.launch = {};
    return {.question = std::move(c.question)};
  } catch (const Error& error) {
    return {.failure = error.what()};
  }
}

estimate::Answer answer(const PricedRun& run, QueueModel step) {
  if (!run.question) return {.failure = run.failure};
  try {
    return {.prediction = times(*run.question, step)};
  } catch (const Error& error) {
    return {.failure = error.what()};
  }
}

}  // namespace

std::vector<PricedRun> price_silicon(estimate::Session& session,
                                     const std::vector<estimate::SiliconRun>& runs, bool launch_known) {
  RequestPricer pricer(session);
  std::vector<PricedRun> all(runs.size());
  for_each_parallel(runs.size(), [&](size_t i) { all[i] = priced(runs[i], session, pricer, launch_known); });
  return all;
}

std::vector<estimate::Answer> simulate_silicon(estimate::Session& session,
                                               const std::vector<estimate::SiliconRun>& runs,
                                               const SiliconModel& model) {
  RequestPricer pricer(session);
  std::vector<estimate::Answer> answers(runs.size());
  for_each_parallel(runs.size(), [&](size_t i) {
    answers[i] = answer(priced(runs[i], session, pricer, model.launch_known), model.step);
  });
  return answers;
}

}  // namespace perfatlas
