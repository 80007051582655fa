// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/silicon_simulation.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/pricing/request_pricer.h"
#include "perfatlas/pricing/silicon_case.h"
#include "perfatlas/serving/closed_form.h"
#include "perfatlas/serving/prediction.h"

namespace perfatlas {
namespace {

estimate::Prediction times(const ServingQuestion& question, StepModel model) {
  if (model == StepModel::closed_form) {
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

estimate::Answer answer(const estimate::SiliconRun& run, estimate::Session& session, RequestPricer& pricer,
                        const SiliconModel& model) {
  try {
    SiliconCase c = silicon_case(run);
    if (!c.refusal.empty()) return {.failure = c.refusal};
    estimate::drop_unused_widths(session, c.request);
    price(c, run.request.quant, pricer);
    if (!model.launch_known) c.question.launch = {};
    return {.prediction = times(c.question, model.step)};
  } catch (const Error& error) {
    return {.failure = error.what()};
  }
}

}  // namespace

std::vector<estimate::Answer> simulate_silicon(estimate::Session& session,
                                               const std::vector<estimate::SiliconRun>& runs,
                                               const SiliconModel& model) {
  RequestPricer pricer(session);
  std::vector<estimate::Answer> answers(runs.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < runs.size(); i = next++) answers[i] = answer(runs[i], session, pricer, model);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::max(1u, std::thread::hardware_concurrency()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return answers;
}

}  // namespace perfatlas
