// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/request_pricer.h"

#include "perfatlas/base/error.h"

namespace perfatlas {

using estimate::EstimateRequest;
using estimate::ServingMode;
using estimate::WorkerQuestion;

namespace {

constexpr double kDrawnRatio = 0.8;  // shortest / longest length, as public serving benchmarks draw them

}  // namespace

WorkerQuestion RequestPricer::worker_question(const EstimateRequest& request,
                                              const estimate::Pool& pool) const {
  WorkerQuestion question{.model = request.model,
                          .system = request.system,
                          .framework = request.framework,
                          .version = request.version,
                          .view = request.view,
                          .parallel = pool.parallel,
                          .quant = request.quant,
                          .drafted_tokens = request.drafted_tokens,
                          .attention_backend = request.attention_backend,
                          .moe_backend = request.moe_backend};
  question.spans_nodes = request.mode != ServingMode::aggregated;
  return question;
}

WorkerQuestion RequestPricer::priced(WorkerQuestion question, bool may_transfer,
                                     std::shared_ptr<const PriceTables>& tables) {
  try {
    tables = prices_.tables(question);
  } catch (const Error&) {
    if (!may_transfer || question.view.mode != aic::Mode::silicon) throw;
    question.view.mode = aic::Mode::hybrid;
    tables = prices_.tables(question);
  }
  return question;
}

void RequestPricer::price(const EstimateRequest& request, bool may_transfer, ServingQuestion& question) {
  if (request.mode == ServingMode::aggregated) {
    const WorkerQuestion asked =
        priced(worker_question(request, request.worker), may_transfer, question.prices);
    question.attention_dp = request.worker.parallel.dp;
    if (!question.kv_capacity_tokens)
      question.kv_capacity_tokens = kv_capacity_tokens(make_launch(question.engine, question.launch),
                                                       rank_memory(*session_.worker(asked)));
    return;
  }
  priced(worker_question(request, request.prefill), may_transfer, question.prices);
  WorkerQuestion decode = worker_question(request, request.decode);
  if (!request.decode_system.empty()) decode.system = request.decode_system;
  priced(decode, may_transfer, question.decode_prices);
}

ServingQuestion serving_question(const EstimateRequest& request) {
  ServingQuestion question;
  question.engine = engine_of(request.framework);
  question.workload.input = {request.workload.isl, kDrawnRatio};
  question.workload.output = {request.workload.osl, kDrawnRatio};
  ClosedLoop loop;
  if (request.mode == ServingMode::aggregated) {
    loop.users = request.worker.batch.value_or(1) * request.worker.parallel.dp;
  } else if (request.mode == ServingMode::disaggregated) {
    if (!request.prefill.workers || !request.decode.workers)
      throw UsageError("simulating disaggregated pools needs the number of prefill and of decode workers");
    loop.users = request.decode.batch.value_or(1) * request.decode.parallel.dp * *request.decode.workers;
    question.disaggregated = DisaggregatedWorkers{.prefill = request.prefill.workers,
                                                  .decode = request.decode.workers,
                                                  .prefill_attention_dp = request.prefill.parallel.dp,
                                                  .decode_attention_dp = request.decode.parallel.dp};
  } else {
    throw UsageError("static modes have no users to simulate; use agg or disagg");
  }
  question.workload.arrivals = loop;
  return question;
}

}  // namespace perfatlas
