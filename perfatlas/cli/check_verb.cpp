// SPDX-License-Identifier: Apache-2.0
// perfatlas check OP: is what a kernel computes right, and does it keep its contract?
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/check_cases.h"
#include "perfatlas/cli/check_questions.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/op_options.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/models/model.h"
#include "perfatlas/worker/remote_check.h"

namespace perfatlas {
namespace {

struct CheckArguments {
  std::string backend = "onednn";
  std::string device;
  std::string kernel;
  std::string model;
  double deadline_s = 600;
  std::string budget;
  double effort = CheckLimits{}.reference_flops;
  uint64_t seed = 1;
  bool json = false;
  bool only_problems = false;
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

/// A worker under test, or the one that took over from it.
class CheckWorker {
 public:
  explicit CheckWorker(const CheckArguments& a)
      : deadline_s_(a.deadline_s), session_(a.backend, a.device), questions_([this] { session_.restart(); }) {
    if (a.budget.empty()) return;
    const auto seconds = parse_duration_s(a.budget);
    if (!seconds || *seconds <= 0)
      throw UsageError(fmt::format("--budget '{}' is no duration like 90s, 10m or 1.5h", a.budget));
    end_ =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*seconds));
  }

  const HelloAnswer& hello() const { return session_.hello(); }
  bool time_left() const { return Clock::now() < end_; }
  WorkerAnswer check(const Case& c, const KernelSelector& what) {
    return questions_.ask([&] {
      const AskWorker ask = [&](const Request& request) { return session_.ask(request, deadline_s_); };
      return hello().wants_operands ? check_remotely(c, what, ask) : ask(CheckRequest{what});
    });
  }

 private:
  using Clock = std::chrono::steady_clock;
  double deadline_s_;
  Clock::time_point end_ = Clock::time_point::max();
  WorkerSession session_;
  CheckQuestions questions_;
};

nlohmann::json check_one(const Case& c, const std::string& kernel, const CheckArguments& a,
                         CheckWorker& worker, Tally& tally) {
  const WorkerAnswer answer = worker.check(c, {case_text(c), a.backend, kernel, a.seed});
  const auto row = [&](const char* outcome, const std::string& source, const std::string& why) {
    return nlohmann::json{{"case", case_text(c)},
                          {"kernel_source", source},
                          {"outcome", outcome},
                          {"results", nlohmann::json::array()},
                          {"reason", why}};
  };
  if (const auto* checked = std::get_if<CheckAnswer>(&answer)) {
    bool good = true;
    for (const CheckResult& r : checked->results) good = good && (r.passed || r.skipped);
    ++(good ? tally.passed : tally.failed);
    if (!a.json && !(good && a.only_problems)) {
      fmt::print("{}\n  {}\n", case_text(c), checked->kernel_source);
      print_results(*checked);
    }
    nlohmann::json judged = row(good ? "right" : "wrong", checked->kernel_source, "");
    for (const CheckResult& r : checked->results)
      judged["results"].push_back({{"check", r.name}, {"result", mark(r)}, {"detail", r.detail}});
    return judged;
  }
  const auto* skipped = std::get_if<SkippedAnswer>(&answer);
  const auto* failed = std::get_if<FailedAnswer>(&answer);
  const std::string why = skipped ? skipped->reason : failed ? failed->error : "an answer of another kind";
  ++(skipped ? tally.skipped : tally.failed);
  if (!a.json && !(skipped && a.only_problems))
    fmt::print("{}\n  {}: {}: {}\n", case_text(c), kernel, skipped ? "skipped" : "FAIL", why);
  return row(skipped ? "skipped" : "failed", kernel, why);
}

/// Shapes of one model, or of every model of the library in bfloat16: each op then has shapes of some model.
ModelShapes check_shapes(const std::string& name, const OpRegistry& ops) {
  std::vector<std::unique_ptr<Model>> models;
  if (!name.empty()) {
    models.push_back(find_model(name, model_libraries(), ops));
  } else {
    for (const std::string& known : library_models(model_libraries()))
      models.push_back(find_model(known, model_libraries(), ops, {Quant::bf16}));
  }
  std::vector<const Model*> views;
  for (const auto& model : models) views.push_back(model.get());
  return shapes_of(views, {1, 8});
}

CheckLimits limits_of(const CheckArguments& a, const HelloAnswer& hello) {
  return {.memory_bytes = hello.device.memory_bytes, .reference_flops = a.effort};
}

/// The kernels to judge: the named one, or every kernel that the worker has of the op.
std::vector<std::string> kernels_of(const OpType& op, const CheckArguments& a, const HelloAnswer& hello) {
  if (!a.kernel.empty()) return {a.kernel};
  std::vector<std::string> names;
  for (const WorkerKernel& kernel : hello.kernels)
    if (kernel.op == op.info.id && kernel.backend == a.backend) names.push_back(kernel.name);
  return names;
}

/// Whether no kernel of the op was wrong on any case and at least one was right. A kernel that takes none of the cases
/// (another device, another share of ranks) is told and no failure. Case by case, so that every kernel has its turn
/// before the budget is spent.
bool check_op(const OpType& op, const std::vector<Case>& cases, const CheckArguments& a,
              CheckWorker& worker) {
  const std::vector<std::string> kernels = kernels_of(op, a, worker.hello());
  std::vector<Tally> tallies(kernels.size());
  auto list = nlohmann::json::array();
  size_t left = cases.size() * kernels.size();
  for (const Case& c : cases)
    for (size_t k = 0; k < kernels.size() && worker.time_left(); ++k, --left)
      list.push_back(check_one(c, kernels[k], a, worker, tallies[k]));
  bool any_right = false, any_wrong = false;
  for (size_t k = 0; k < kernels.size(); ++k) {
    const Tally& tally = tallies[k];
    any_right = any_right || tally.passed > 0;
    any_wrong = any_wrong || tally.failed > 0;
    if (!a.json)
      fmt::print("{} {}: {} cases right, {} wrong, {} not for this kernel{}\n", op.info.id, kernels[k],
                 tally.passed, tally.failed, tally.skipped, tally.passed == 0 ? "; nothing was checked" : "");
  }
  if (kernels.empty() && !a.json) fmt::print("{}: back end {} has no kernel of it\n", op.info.id, a.backend);
  if (left > 0 && !a.json) fmt::print("{}: {} checks were not reached within --budget\n", op.info.id, left);
  const bool good = any_right && !any_wrong;
  if (a.json)
    fmt::print(
        "{}\n",
        nlohmann::json{{"op", op.info.id}, {"good", good}, {"cases", list}, {"not_reached", left}}.dump(2));
  return good;
}

int run_check(const OpArguments& op, const CheckArguments& a, const OpRegistry& ops) {
  if (!op.op->measurable())
    throw UsageError(
        fmt::format("{} is an imported table: no kernel of it is in this build", op.op->info.id));
  CheckWorker worker(a);
  const std::vector<Case> cases =
      op.given.empty() ? check_cases(*op.op, check_shapes(a.model, ops), limits_of(a, worker.hello()))
                       : std::vector{op.to_case()};
  return check_op(*op.op, cases, a, worker) ? kDone : kFailed;
}

/// Every op that the back end has kernels of.
int run_check_all(const CheckArguments& a, const OpRegistry& ops) {
  CheckWorker worker(a);
  const ModelShapes shapes = check_shapes(a.model, ops);
  bool good = true;
  for (const auto& op : ops.ops()) {
    if (!op->measurable() || kernels_of(*op, a, worker.hello()).empty()) continue;
    const auto cases = check_cases(*op, shapes, limits_of(a, worker.hello()));
    good = check_op(*op, cases, a, worker) && good;
  }
  return good ? kDone : kFailed;
}

}  // namespace

void add_check(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("check", "Test a kernel against the reference and its contract");
  const auto a = std::make_shared<CheckArguments>();
  const auto more = [a](CLI::App& sub) {
    sub.add_option("--backend", a->backend, "Back end: onednn, ggml, mpi, vllm_cpu, cuda, nccl")
        ->capture_default_str();
    sub.add_option("--device,--devices", a->device, "Core set or GPU; default: all cores, GPU 0");
    sub.add_option("--kernel", a->kernel, "Kernel (kernel_source); default: every one");
    sub.add_option("--shapes-of", a->model,
                   "Model whose shapes to try when no field is given; default: all known models");
    sub.add_option("--deadline", a->deadline_s, "Seconds per case")->capture_default_str();
    sub.add_option("--budget", a->budget, "Time for everything, e.g. 90s: what is left then is told");
    sub.add_option("--effort", a->effort, "Arithmetic of the largest case when no field is given, in FLOP")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    sub.add_option("--seed", a->seed, "Seed of operand contents")->capture_default_str();
    sub.add_flag("--json", a->json, "For machines");
    sub.add_flag("--quiet", a->only_problems, "Details of failures only");
  };
  CLI::App* all = verb->add_subcommand("all", "Every op and kernel of the back end");
  more(*all);
  all->callback([&invocation, a] {
    invocation.action = [&invocation, a] { return run_check_all(*a, invocation.ops); };
  });
  add_op_subcommands(invocation, {verb, more, [&invocation, a](const OpArguments& op) {
                                    return run_check(op, *a, invocation.ops);
                                  }});
  verb->footer(
      "Examples:\n  perfatlas check gemm\n  perfatlas check all --quiet --effort 2e7\n  perfatlas check "
      "attention_context "
      "--batch 2 --isl 100 --heads 8 "
      "--kv_heads 2");
}

}  // namespace perfatlas
