// SPDX-License-Identifier: Apache-2.0
// perfatlas check OP: is what a kernel computes right, and does it keep its contract?
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/check_cases.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/op_options.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/models/model.h"

namespace perfatlas {
namespace {

struct CheckArguments {
  std::string backend = "onednn";
  std::string device;
  std::string kernel;
  std::string model = "Qwen3-0.6B";
  double deadline_s = 600;
  uint64_t seed = 1;
  bool json = false;
};

struct Tally {
  int passed = 0, failed = 0, skipped = 0;  // cases
};

const char* mark(const CheckResult& result) {
  return result.skipped ? "skip" : result.passed ? "ok" : "FAIL";
}

void print_results(const CheckAnswer& answer) {
  for (const CheckResult& r : answer.results) fmt::print("  {:4}  {:32} {}\n", mark(r), r.name, r.detail);
}

nlohmann::json to_json(const Case& c, const std::string& kernel, const std::vector<CheckResult>& results,
                       const std::string& why) {
  auto list = nlohmann::json::array();
  for (const CheckResult& r : results)
    list.push_back({{"check", r.name}, {"result", mark(r)}, {"detail", r.detail}});
  return {{"case", case_text(c)}, {"kernel_source", kernel}, {"results", list}, {"reason", why}};
}

/// One case on every kernel that could run it would hide which failed; the best one is what gets measured.
nlohmann::json check_one(const Case& c, const CheckArguments& a, WorkerSession& worker, Tally& tally) {
  const CheckRequest request{{case_text(c), a.backend, a.kernel, a.seed}};
  const WorkerAnswer answer = worker.ask(request, a.deadline_s);
  if (const auto* checked = std::get_if<CheckAnswer>(&answer)) {
    bool good = true;
    for (const CheckResult& r : checked->results) good = good && (r.passed || r.skipped);
    ++(good ? tally.passed : tally.failed);
    if (!a.json) {
      fmt::print("{}\n  {}\n", case_text(c), checked->kernel_source);
      print_results(*checked);
    }
    return to_json(c, checked->kernel_source, checked->results, "");
  }
  const auto* skipped = std::get_if<SkippedAnswer>(&answer);
  const auto* failed = std::get_if<FailedAnswer>(&answer);
  const std::string why = skipped ? skipped->reason : failed ? failed->error : "an answer of another kind";
  ++(skipped ? tally.skipped : tally.failed);
  if (!a.json) fmt::print("{}\n  {}: {}\n", case_text(c), skipped ? "skipped" : "FAIL", why);
  return to_json(c, "", {}, why);
}

int run_check(const OpArguments& op, const CheckArguments& a, const OpRegistry& ops) {
  if (!op.op->measurable())
    throw UsageError(
        fmt::format("{} is an imported table: no kernel of it is in this build", op.op->info.id));
  WorkerSession worker(a.backend, a.device);
  std::vector<Case> cases;
  if (op.given.empty()) {
    const auto model = find_model(a.model, model_libraries(), ops);
    cases = check_cases(*op.op, shapes_of({model.get()}, {1}),
                        {.memory_bytes = worker.hello().device.memory_bytes});
  } else {
    cases = {op.to_case()};
  }
  Tally tally;
  auto list = nlohmann::json::array();
  for (const Case& c : cases) list.push_back(check_one(c, a, worker, tally));
  const bool good = tally.failed == 0 && tally.passed > 0;
  if (a.json)
    fmt::print("{}\n", nlohmann::json{{"op", op.op->info.id}, {"good", good}, {"cases", list}}.dump(2));
  else
    fmt::print("{}: {} cases right, {} wrong, {} not for this device{}\n", op.op->info.id, tally.passed,
               tally.failed, tally.skipped, tally.passed == 0 ? "; nothing was checked" : "");
  return good ? kDone : kFailed;
}

}  // namespace

void add_check(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("check", "Test a kernel against the reference and its contract");
  const auto a = std::make_shared<CheckArguments>();
  const auto more = [a](CLI::App& sub) {
    sub.add_option("--backend", a->backend, "Back end: onednn, cuda")->capture_default_str();
    sub.add_option("--device,--devices", a->device, "Core set or GPU; default: all cores, GPU 0");
    sub.add_option("--kernel", a->kernel, "Kernel (kernel_source); default: the best one");
    sub.add_option("--model", a->model, "Whose shapes to try when no field is given")->capture_default_str();
    sub.add_option("--deadline", a->deadline_s, "Seconds per case")->capture_default_str();
    sub.add_option("--seed", a->seed, "Seed of operand contents")->capture_default_str();
    sub.add_flag("--json", a->json, "For machines");
  };
  add_op_subcommands(invocation, {verb, more, [&invocation, a](const OpArguments& op) {
                                    return run_check(op, *a, invocation.ops);
                                  }});
  verb->footer(
      "Examples:\n  perfatlas check gemm\n  perfatlas check attention_context --batch 2 --isl 100 --heads 8 "
      "--kv_heads 2");
}

}  // namespace perfatlas
