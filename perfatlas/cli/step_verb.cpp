// SPDX-License-Identifier: Apache-2.0
// perfatlas step: a model's whole step run in place, beside the sum of its ops measured alone.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/cli/worker_session.h"
#include "perfatlas/measure/statistics.h"
#include "perfatlas/models/model.h"

namespace perfatlas {
namespace {

constexpr double kStepDeadlineSeconds = 600;
constexpr double kAloneSeconds = 1;  // of measuring per op and cache state

struct StepArguments {
  std::string model, dtype, backend = "onednn", device, phase = "generation";
  std::vector<std::string> states = {"serving", "hot", "cold"};
  int64_t tp = 1, moe_ep = 1, batch = 1, isl = 128, cached = -1, layers = 0;
  int repetitions = 10;
  bool json = false;
};

/// One op of the step; times in milliseconds per launch.
struct StepLine {
  OpUse use;
  std::string kernel;
  double inside_ms = 0;
  std::vector<double> alone_ms;  // by cache state
};

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
/// library measured here. Throws Error when nothing is left. A kernel that refuses its case is another matter: that ends
/// the step.
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

void print_table(const std::vector<StepLine>& lines, const std::vector<OpUse>& left_out,
                 const StepArguments& a, const StepAnswer& answer) {
  const double total_ms = median(answer.total_ms);
  fmt::print("{:<18} {:>5} {:>10}", "op", "count", "in step");
  for (const std::string& state : a.states) fmt::print(" {:>10}", state);
  fmt::print("  kernel\n");
  double inside = 0;
  std::vector<double> sums(a.states.size());
  for (const StepLine& line : lines) {
    const auto count = double(line.use.count);
    fmt::print("{:<18} {:>5} {:>10.4f}", line.use.name, line.use.count, line.inside_ms);
    inside += count * line.inside_ms;
    for (size_t i = 0; i < sums.size(); ++i) {
      sums[i] += count * line.alone_ms[i];
      fmt::print(" {:>10.4f}", line.alone_ms[i]);
    }
    fmt::print("  {}\n", line.kernel);
  }
  fmt::print("{:<18} {:>5} {:>10.4f}", "sum of ops", "", inside);
  for (const double sum : sums) fmt::print(" {:>10.4f}", sum);
  fmt::print("\n{:<18} {:>5} {:>10.3f}", "sum / whole step", "", inside / total_ms);
  for (const double sum : sums) fmt::print(" {:>10.3f}", sum / total_ms);
  fmt::print(
      "\nwhole step: {:.4f} ms median of {}, {} of weights and KV cache, {} launches; ops in ms per launch\n",
      total_ms, answer.total_ms.size(), fmt::format("{:.3f} GB", answer.streamed_bytes / 1e9),
      name_of(answer.launch));
  for (const OpUse& use : left_out)
    fmt::print("left out: {} x {}, back end {} has no kernel of {}\n", use.count, use.name, a.backend,
               use.c.op->info.id);
}

void print_json(const std::vector<StepLine>& lines, const std::vector<OpUse>& left_out,
                const StepArguments& a, const StepAnswer& answer) {
  nlohmann::ordered_json out = {{"model", a.model}, {"phase", a.phase}, {"tp", a.tp}, {"backend", a.backend}};
  out["total_ms"] = answer.total_ms;
  out["streamed_bytes"] = answer.streamed_bytes;
  out["launch"] = name_of(answer.launch);
  for (const StepLine& line : lines) {
    nlohmann::ordered_json entry = {{"name", line.use.name},
                                    {"case", case_text(line.use.c)},
                                    {"count", line.use.count},
                                    {"kernel_source", line.kernel},
                                    {"in_step_ms", line.inside_ms}};
    for (size_t i = 0; i < a.states.size(); ++i) entry["alone_ms"][a.states[i]] = line.alone_ms[i];
    out["ops"].push_back(entry);
  }
  out["left_out"] = nlohmann::ordered_json::array();
  for (const OpUse& use : left_out)
    out["left_out"].push_back({{"name", use.name}, {"case", case_text(use.c)}, {"count", use.count}});
  fmt::print("{}\n", out.dump(2));
}

int run_step(const StepArguments& a, const OpRegistry& ops) {
  for (const std::string& state : a.states)
    if (!from_name<CacheState>(state))
      throw UsageError(fmt::format("--states '{}' is none of serving, hot and cold", state));
  if (a.batch < 1 || a.isl < 1) throw UsageError("--batch and --isl must be positive");
  if (a.tp < 1 || a.moe_ep < 1) throw UsageError("--tp and --moe-ep must be positive");
  std::vector<OpUse> uses = uses_of(a, ops);
  WorkerSession session(a.backend, a.device);
  const std::vector<OpUse> left_out = take_foreign(uses, session.hello(), a.backend);
  const auto answer = ask<StepAnswer>(session, request_of(a, uses));
  std::vector<StepLine> lines;
  for (size_t i = 0; i < uses.size(); ++i) {
    StepLine line{uses[i], answer.kernel_sources.at(i), median(answer.cases_ms.at(i)), {}};
    for (const std::string& state : a.states)
      line.alone_ms.push_back(alone_ms(session, a, uses[i], line.kernel, state));
    lines.push_back(std::move(line));
  }
  if (a.json)
    print_json(lines, left_out, a, answer);
  else
    print_table(lines, left_out, a, answer);
  return kDone;
}

}  // namespace

void add_step(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("step", "Run a model's step in place, beside its ops measured alone");
  const auto a = std::make_shared<StepArguments>();
  verb->add_option("--model", a->model, "Model name, folder or config.json")->required();
  verb->add_option("--phase", a->phase, "context or generation")->capture_default_str();
  verb->add_option("--tp", a->tp, "Tensor-parallel degree, emulated by local shapes")->capture_default_str();
  verb->add_option("--moe-ep", a->moe_ep, "Ranks that share the experts; divides tp")->capture_default_str();
  verb->add_option("--dtype", a->dtype, "Plan the model in this type: bfloat16, float16, float32, q8_0, ...");
  verb->add_option("--batch", a->batch, "Requests in the step")->capture_default_str();
  verb->add_option("--isl", a->isl, "Prompt tokens of each request")->capture_default_str();
  verb->add_option("--cached", a->cached,
                   "Tokens in the KV cache; default: none in context, the prompt in generation");
  verb->add_option("--layers", a->layers, "At most so many layers; 0: all")->capture_default_str();
  verb->add_option("--backend", a->backend, "Whose kernels")->capture_default_str();
  verb->add_option("--device,--devices", a->device, "Core set or GPU; default: all cores, GPU 0");
  verb->add_option("--states", a->states, "Cache states in which each op is measured alone")
      ->delimiter(',')
      ->capture_default_str();
  verb->add_option("--runs", a->repetitions, "Repetitions of the step")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas step --model Qwen3-0.6B --phase generation --batch 1 --isl 128\n"
      "  perfatlas step --model Qwen3-0.6B --phase context --isl 128 --states serving\n"
      "Ops of which the back end has no kernel (collectives) are left out and named.\n"
      "A table of ops can predict a step when sum / whole step is near 1 (docs/additivity.md).");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_step(*a, invocation.ops); }; });
}

}  // namespace perfatlas
