// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/support.h"

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/serving.h"

namespace perfatlas::estimate {
namespace {

// A request short enough for every model's context, with a cached part, so that prefill after a prefix is asked, too.
constexpr Workload kProbe{.isl = 256, .osl = 256, .prefix = 128};
constexpr int64_t kProbeBatch = 4;

/// Powers of two up to a node; experts are spread over all ranks, then split over all ranks.
std::vector<Parallel> splits_to_try(const ServedModel& model, int64_t gpus_per_node) {
  std::vector<Parallel> splits;
  for (int64_t gpus = 1; gpus <= gpus_per_node; gpus *= 2) {
    if (!model.has_experts()) {
      splits.push_back({.tp = gpus});
      continue;
    }
    splits.push_back({.tp = gpus, .moe_tp = 1, .moe_ep = gpus});
    if (gpus == 1) continue;
    splits.push_back({.tp = 1, .dp = gpus, .moe_tp = 1, .moe_ep = gpus});
    splits.push_back({.tp = gpus, .moe_tp = gpus, .moe_ep = 1});
  }
  return splits;
}

/// What one split can do; `missing` where it cannot.
struct Probe {
  bool fits = true, aggregated = false, disaggregated = false;
  std::string missing;
};

Probe probe(const Worker& worker, const std::string& version) {
  Probe p;
  const AggregatedResult both =
      run_aggregated(worker, kProbe, {.batch = kProbeBatch, .context_tokens = kProbe.isl}, {}, version);
  p.fits = both.fit == Fit::fits;
  p.aggregated = p.fits && both.ok();
  if (!both.mixed.ok())
    p.missing = worker.explain_mixed(both.mixed, both.mixed_step);
  else if (!both.decode.ok())
    p.missing = worker.explain_generation(both.decode, kProbeBatch, kProbe.isl + kProbe.osl / 2 + 1);
  const StaticResult prefill = run_static(worker, kProbe, {.mode = StaticMode::context}, {}, version);
  const StaticResult decode =
      run_static(worker, kProbe, {.mode = StaticMode::generation, .batch = kProbeBatch}, {}, version);
  p.disaggregated = p.fits && prefill.ok() && decode.ok();
  if (p.missing.empty() && !prefill.ok())
    p.missing = worker.explain_context(prefill.context, 1, kProbe.isl - kProbe.prefix, kProbe.prefix);
  if (p.missing.empty() && !decode.ok())
    p.missing = worker.explain_generation(decode.generation, kProbeBatch, kProbe.isl + 1);
  return p;
}

SupportAnswer answer(Session& session, WorkerQuestion q) {
  SupportAnswer a{.system = q.system, .framework = q.framework};
  const OpenSystem& on = session.open(q.system, q.framework, q.version, q.view.mode);
  a.version = on.version;
  std::string too_large = "no split within a node has enough memory";
  for (const Parallel& split : splits_to_try(*session.model(q.model), on.system->gpus_per_node)) {
    q.parallel = split;
    try {
      const Probe p = probe(*session.worker(q), on.version);
      if (!p.fits) continue;
      if (a.missing.empty()) a.missing = p.missing;
      if ((p.aggregated || p.disaggregated) && a.split.empty()) a.split = split.label();
      a.aggregated |= p.aggregated;
      a.disaggregated |= p.disaggregated;
    } catch (const UsageError& error) {
      if (a.missing.empty()) a.missing = error.what();
    }
    if (a.aggregated && a.disaggregated) break;
  }
  if (a.aggregated && a.disaggregated)
    a.missing.clear();
  else if (a.missing.empty())
    a.missing = too_large;
  return a;
}

}  // namespace

std::vector<SupportAnswer> support_of(Session& session, const SupportQuestion& question) {
  std::vector<SupportAnswer> answers;
  const SystemsRoot& root = session.root();
  session.model(question.model);  // an unknown model is one error, not one per system
  for (const std::string& system : question.systems.empty() ? root.systems() : question.systems)
    for (const std::string& backend : root.backends(system)) {
      if (backend != "trtllm" && backend != "sglang" && backend != "vllm") continue;
      const Framework framework = framework_from_name(backend);
      const auto& wanted = question.frameworks;
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), framework) == wanted.end()) continue;
      WorkerQuestion q{.model = question.model,
                       .system = system,
                       .framework = framework,
                       .version = question.version,
                       .view = question.view,
                       .spans_nodes = false};
      answers.push_back(answer(session, q));
    }
  return answers;
}

}  // namespace perfatlas::estimate
