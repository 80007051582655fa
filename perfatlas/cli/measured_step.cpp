// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/measured_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr double kStepDeadlineSeconds = 600;
constexpr double kAloneSeconds = 1;  // of measuring per op and cache state

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return quantile(samples, 0.5);
}

template <class Wanted>
Wanted ask(WorkerSession& session, const Request& request) {
  WorkerAnswer answer = session.ask(request, kStepDeadlineSeconds);
  if (auto* wanted = std::get_if<Wanted>(&answer)) return std::move(*wanted);
  if (const auto* skipped = std::get_if<SkippedAnswer>(&answer)) throw Error(skipped->reason);
  if (const auto* failed = std::get_if<FailedAnswer>(&answer)) throw Error(failed->error);
  throw Error("the worker answered something else than it was asked");
}

std::vector<OpUse> uses_of(const StepArguments& a, const OpRegistry& ops) {
  const auto phase = a.phase == "context"      ? std::optional(Phase::context)
                     : a.phase == "generation" ? std::optional(Phase::generation)
                                               : std::nullopt;
  if (!phase) throw UsageError(fmt::format("--phase '{}' is neither context nor generation", a.phase));
  const auto model = find_model(a.model, model_libraries(), ops, model_options(a.dtype));
  const Parallelism ranks{a.tp, a.tp / a.moe_ep, a.moe_ep};
  if (const std::string why = model->why_not(ranks); !why.empty())
    throw UsageError(fmt::format("--tp {}: {}", a.tp, why));
  const bool context = *phase == Phase::context;
  const int64_t cached = a.cached >= 0 ? a.cached : context ? 0 : a.isl;
  std::vector<OpUse> uses =
      model->step({.phase = *phase, .batch = a.batch, .isl = context ? a.isl : 1, .cached = cached}, ranks);
  for (OpUse& use : uses)
    if (a.layers > 0) use.count = std::min(use.count, a.layers);
  return uses;
}

/// Takes the uses out of whose op the back end has no kernel at all: collectives, and what an engine does outside the
/// library measured here. Throws Error when nothing is left. A kernel that refuses its case is another matter: that
/// ends the step.
std::vector<OpUse> take_foreign(std::vector<OpUse>& uses, const HelloAnswer& hello,
                                const std::string& backend) {
  const auto is_foreign = [&](const OpUse& use) {
    return std::none_of(hello.kernels.begin(), hello.kernels.end(), [&](const WorkerKernel& kernel) {
      return kernel.op == use.c.op->info.id && kernel.backend == backend;
    });
  };
  const auto at = std::stable_partition(uses.begin(), uses.end(), std::not_fn(is_foreign));
  std::vector<OpUse> foreign(at, uses.end());
  uses.erase(at, uses.end());
  if (uses.empty()) throw Error(fmt::format("back end {} has a kernel of no op of the step", backend));
  return foreign;
}

StepRequest request_of(const StepArguments& a, const std::vector<OpUse>& uses) {
  StepRequest request;
  request.backend = a.backend;
  request.repetitions = a.repetitions;
  request.max_total_ms = 1e3 * kStepDeadlineSeconds / 4;
  for (const OpUse& use : uses) request.cases.push_back(case_text(use.c));
  for (const size_t index : execution_order(uses)) request.order.push_back(int64_t(index));
  return request;
}

double alone_ms(WorkerSession& session, const StepArguments& a, const OpUse& use, const std::string& kernel,
                const std::string& state) {
  SampleRequest request;
  request.what = {.case_text = case_text(use.c), .backend = a.backend, .kernel = kernel, .seed = 0};
  request.cache = *from_name<CacheState>(state);
  request.max_total_ms = 1e3 * kAloneSeconds;
  return median(ask<SampleAnswer>(session, request).samples.latency_ms);
}

}  // namespace

double MeasuredStep::total_ms() const { return median(answer.total_ms); }

void check_step(const StepArguments& a) {
  for (const std::string& state : a.states)
    if (!from_name<CacheState>(state))
      throw UsageError(fmt::format("--states '{}' is none of serving, hot and cold", state));
  if (a.batch < 1 || a.isl < 1) throw UsageError("--batch and --isl must be positive");
  if (a.tp < 1 || a.moe_ep < 1) throw UsageError("--tp and --moe-ep must be positive");
}

MeasuredStep measure_step(const StepArguments& a, const OpRegistry& ops) {
  check_step(a);
  std::vector<OpUse> uses = uses_of(a, ops);
  WorkerSession session(a.backend, a.device);
  MeasuredStep step;
  step.left_out = take_foreign(uses, session.hello(), a.backend);
  step.answer = ask<StepAnswer>(session, request_of(a, uses));
  for (size_t i = 0; i < uses.size(); ++i) {
    StepLine line{uses[i], step.answer.kernel_sources.at(i), median(step.answer.cases_ms.at(i)), {}};
    for (const std::string& state : a.states)
      line.alone_ms.push_back(alone_ms(session, a, uses[i], line.kernel, state));
    step.lines.push_back(std::move(line));
  }
  return step;
}

}  // namespace perfatlas
