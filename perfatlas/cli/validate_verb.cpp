// SPDX-License-Identifier: Apache-2.0
// perfatlas validate DIR...: can these measurements be trusted?
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "perfatlas/base/file.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/collect/validate.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

struct ValidateArguments {
  ValidateRequest request;
  PlanOptions plan;
  std::string device;
  std::string system_file;
  bool no_rerun = false;
  bool json = false;
};

/// Measures rows again, one worker per back end for all of them.
class Remeasurer {
 public:
  explicit Remeasurer(std::string device) : device_(std::move(device)) {}

  std::optional<double> operator()(const Row& row) {
    constexpr int kRepetitions = 30;
    constexpr double kMaxTotalMs = 1000, kDeadlineSeconds = 300;
    auto& worker = workers_[row.framework];
    if (!worker) worker = std::make_unique<WorkerSession>(row.framework, device_);
    SampleRequest request;
    request.what = {case_text(row.c), row.framework, row.kernel_source, row.quality ? row.quality->seed : 0};
    if (row.quality) request.cache = row.quality->cache_state;
    request.repetitions = kRepetitions;
    request.max_total_ms = kMaxTotalMs;
    const WorkerAnswer answer = worker->ask(request, kDeadlineSeconds);
    const auto* sampled = std::get_if<SampleAnswer>(&answer);
    if (sampled == nullptr || sampled->samples.latency_ms.empty()) return std::nullopt;
    std::vector<double> samples = sampled->samples.latency_ms;
    std::sort(samples.begin(), samples.end());
    return quantile(samples, 0.5);
  }

 private:
  std::string device_;
  std::map<std::string, std::unique_ptr<WorkerSession>> workers_;
};

int run_validate(ValidateArguments a, const OpRegistry& ops) {
  std::optional<Plan> plan;
  if (!a.plan.models.empty() || a.plan.grid == "aic") a.request.plan = &plan.emplace(plan_from(a.plan, ops));
  const std::string own = a.request.collections.front() + "/system.json";
  if (!a.system_file.empty())
    a.request.system = read_system_spec(a.system_file);
  else if (file_exists(own))
    a.request.system = read_system_spec(own);
  const auto again = std::make_shared<Remeasurer>(a.device);
  if (!a.no_rerun && a.request.limits.rerun_cases > 0)
    a.request.measure_again = [again](const Row& row) { return (*again)(row); };
  const ValidateReport report = validate(ops, a.request);
  if (a.json)
    fmt::print("{}\n", report.json());
  else
    fmt::print("{}", report.text());
  return report.passed() ? kDone : kFailed;
}

}  // namespace

void add_validate(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("validate", "Check collections: rows, physics, repeatability");
  const auto a = std::make_shared<ValidateArguments>();
  verb->add_option("folders", a->request.collections, "Collection folders")->required();
  verb->add_option("--reruns", a->request.limits.rerun_cases, "Rows to measure again")->capture_default_str();
  verb->add_flag("--no-rerun", a->no_rerun, "Measure nothing: works on any machine");
  verb->add_option("--rerun-seed", a->request.limits.rerun_seed, "Which rows are measured again")
      ->capture_default_str();
  verb->add_option("--device,--devices", a->device,
                   "Core set or GPU for the re-runs; default: all cores, GPU 0");
  verb->add_option("--system-file", a->system_file, "System description; default: the folder's system.json");
  a->request.limits.findings_per_check = 5;
  verb->add_option("--examples", a->request.limits.findings_per_check,
                   "Examples listed per finding; all are counted")
      ->capture_default_str();
  verb->add_flag("--json", a->json, "For machines");
  add_plan_options(*verb, a->plan);
  verb->footer(
      "Give the plan options of the collection (--model ...) to compare with the plan op by op.\n"
      "Exit code 0: passed; 1: something failed; warnings do not fail.\n"
      "Examples:\n  perfatlas validate run\n  perfatlas validate run --model Qwen3-0.6B --reruns 50");
  verb->callback([&invocation, a] {
    invocation.action = [&invocation, a] { return run_validate(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
