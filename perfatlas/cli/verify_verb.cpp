// SPDX-License-Identifier: Apache-2.0
// perfatlas verify: a model's steps measured on this machine, beside what this machine's own tables predict.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/measured_step.h"
#include "perfatlas/cli/serving_check.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/db/database.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

struct VerifyArguments : StepArguments {
  std::string data, system;
  bool json = false;
};

/// One phase: measured, predicted from tables, and the ops measured beside it.
struct VerifiedPhase {
  std::string name;
  MeasuredStep step;
  std::vector<double> predicted_ms;  // by line of the step, per launch
  std::vector<std::string> sources;  // of the predictions

  double sum_of(const std::vector<double>& per_launch_ms) const {
    double sum = 0;
    for (size_t i = 0; i < step.lines.size(); ++i) sum += double(step.lines[i].use.count) * per_launch_ms[i];
    return sum;
  }
  double predicted_total_ms() const { return sum_of(predicted_ms); }
  double error() const { return predicted_total_ms() / step.total_ms() - 1; }
  double inside_ms() const {
    double sum = 0;
    for (const StepLine& line : step.lines) sum += double(line.use.count) * line.inside_ms;
    return sum;
  }
  double alone_ms(size_t state) const {
    double sum = 0;
    for (const StepLine& line : step.lines) sum += double(line.use.count) * line.alone_ms[state];
    return sum;
  }
};

/// Throws Error for an op that the tables do not answer, with the commands that measure it.
VerifiedPhase verify_phase(const VerifyArguments& a, const std::string& phase, const OpRegistry& ops,
                           Database& tables) {
  StepArguments arguments = a;
  arguments.phase = phase;
  VerifiedPhase verified{phase, measure_step(arguments, ops), {}, {}};
  for (const StepLine& line : verified.step.lines) {
    QueryOptions options;
    options.system = a.system;
    options.backend = a.backend;
    const Answer answer = tables.query(line.use.c, options);
    if (!answer)
      throw Error(
          fmt::format("{}: {}; measure it: perfatlas collect --model {} --backend {} --out run, then "
                      "perfatlas place run --into {}",
                      line.use.name, answer.miss_reason, a.model, a.backend, data_root(a.data)));
    verified.predicted_ms.push_back(answer.latency_ms);
    verified.sources.emplace_back(name_of(answer.source));
  }
  return verified;
}

void print_phase(const VerifiedPhase& v, const VerifyArguments& a) {
  const double total_ms = v.step.total_ms();
  fmt::print("\n{} ({} of {} tokens):\n", v.name,
             v.name == "context" ? "a prompt" : "one token after a prompt", a.isl);
  fmt::print("  {:<20} {:>6} {:>11} {:>11} {:>8}  {}\n", "op", "count", "in step ms", "tables ms", "error",
             "answer");
  for (size_t i = 0; i < v.step.lines.size(); ++i) {
    const StepLine& line = v.step.lines[i];
    fmt::print("  {:<20} {:>6} {:>11.4f} {:>11.4f} {:>7.1f}%  {}\n", line.use.name, line.use.count,
               line.inside_ms, v.predicted_ms[i], 100 * (v.predicted_ms[i] / line.inside_ms - 1),
               v.sources[i]);
  }
  fmt::print("  measured step {:.4f} ms, predicted {:.4f} ms: error {:+.1f} %\n", total_ms,
             v.predicted_total_ms(), 100 * v.error());
  fmt::print("  sum of ops over the step: in place {:.3f}", v.inside_ms() / total_ms);
  for (size_t s = 0; s < a.states.size(); ++s)
    fmt::print(", {} {:.3f}", a.states[s], v.alone_ms(s) / total_ms);
  fmt::print("\n");
  for (const OpUse& use : v.step.left_out)
    fmt::print("  left out of both: {} x {}, back end {} has no kernel of it\n", use.count, use.name,
               a.backend);
}

nlohmann::ordered_json phase_json(const VerifiedPhase& v, const VerifyArguments& a) {
  nlohmann::ordered_json json{{"phase", v.name},
                              {"measured_ms", v.step.total_ms()},
                              {"predicted_ms", v.predicted_total_ms()},
                              {"error", v.error()}};
  json["additivity"]["in_place"] = v.inside_ms() / v.step.total_ms();
  for (size_t s = 0; s < a.states.size(); ++s)
    json["additivity"][a.states[s]] = v.alone_ms(s) / v.step.total_ms();
  for (size_t i = 0; i < v.step.lines.size(); ++i)
    json["ops"].push_back({{"name", v.step.lines[i].use.name},
                           {"count", v.step.lines[i].use.count},
                           {"in_step_ms", v.step.lines[i].inside_ms},
                           {"predicted_ms", v.predicted_ms[i]},
                           {"answer", v.sources[i]}});
  return json;
}

int run_verify(const VerifyArguments& a, const OpRegistry& ops) {
  check_step(a);
  Database tables(data_root(a.data));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const char* phase : {"context", "generation"}) {
    const VerifiedPhase verified = verify_phase(a, phase, ops, tables);
    if (a.json)
      json.push_back(phase_json(verified, a));
    else
      print_phase(verified, a);
  }
  if (a.json) fmt::print("{}\n", json.dump(2));
  return kDone;
}

}  // namespace

void add_verify(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("verify", "A model's steps on this machine beside what its own tables predict");
  const auto a = std::make_shared<VerifyArguments>();
  a->states = {"serving", "hot"};
  const auto serving = std::make_shared<ServingCheck>();
  const auto is_serving = std::make_shared<bool>(false);
  verb->add_flag("--serving", *is_serving, "A running serving engine instead of single steps");
  add_serving_check(*verb, *serving);
  verb->add_option("--model", a->model, "Model name, folder or config.json")->required();
  verb->add_option("--backend", a->backend, "Whose kernels and tables")->capture_default_str();
  verb->add_option("--data", a->data, "Data folder; default: PERFATLAS_DATA, else the user's data folder");
  verb->add_option("--system", a->system, "System; may be left out when the data folder has only one");
  verb->add_option("--dtype", a->dtype, "Run the model in this type: bfloat16, float32, q8_0, ...");
  verb->add_option("--tp", a->tp, "Tensor-parallel degree, emulated by local shapes")->capture_default_str();
  verb->add_option("--moe-ep", a->moe_ep, "Ranks that share the experts; divides tp")->capture_default_str();
  verb->add_option("--batch", a->batch, "Requests in a step")->capture_default_str();
  verb->add_option("--isl", a->isl, "Prompt tokens of each request")->capture_default_str();
  verb->add_option("--layers", a->layers, "At most so many layers, where all do not fit; 0: all")
      ->capture_default_str();
  verb->add_option("--device,--devices", a->device, "Core set or GPU; default: all cores, GPU 0");
  verb->add_option("--runs", a->repetitions, "Repetitions of a step")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Example:\n"
      "  perfatlas collect --model Qwen3-0.6B --out run --budget 5m && perfatlas place run --into tables\n"
      "  perfatlas verify --model Qwen3-0.6B --data tables\n"
      "  perfatlas verify --serving --url http://127.0.0.1:8080 --model Qwen3-0.6B --dtype q8_0 --backend "
      "ggml \\\n"
      "      --data tables --launch max_running=8\n"
      "The same layers, with weights and KV cache of their own, are measured and predicted. "
      "docs/serving-accuracy.md says\n"
      "how to start an engine for --serving.");
  verb->callback([=, &invocation] {
    if (*is_serving) {
      serving->model = a->model, serving->dtype = a->dtype, serving->backend = a->backend;
      serving->data = a->data, serving->system = a->system, serving->isl = a->isl, serving->json = a->json;
      invocation.action = [=, &invocation] { return run_serving_check(*serving, invocation.ops); };
      return;
    }
    invocation.action = [a, &invocation] { return run_verify(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
