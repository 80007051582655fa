// SPDX-License-Identifier: Apache-2.0
// perfatlas step: a model's whole step run in place, beside the sum of its ops measured alone.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/cli/measured_step.h"
#include "perfatlas/cli/verb.h"

namespace perfatlas {
namespace {

struct StepVerb : StepArguments {
  bool json = false;
};

void print_table(const MeasuredStep& step, const StepArguments& a) {
  const double total_ms = step.total_ms();
  fmt::print("{:<18} {:>5} {:>10}", "op", "count", "in step");
  for (const std::string& state : a.states) fmt::print(" {:>10}", state);
  fmt::print("  kernel\n");
  double inside = 0;
  std::vector<double> sums(a.states.size());
  for (const StepLine& line : step.lines) {
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
      total_ms, step.answer.total_ms.size(), fmt::format("{:.3f} GB", step.answer.streamed_bytes / 1e9),
      name_of(step.answer.launch));
  for (const OpUse& use : step.left_out)
    fmt::print("left out: {} x {}, back end {} has no kernel of {}\n", use.count, use.name, a.backend,
               use.c.op->info.id);
}

void print_json(const MeasuredStep& step, const StepArguments& a) {
  nlohmann::ordered_json out = {{"model", a.model}, {"phase", a.phase}, {"tp", a.tp}, {"backend", a.backend}};
  out["total_ms"] = step.answer.total_ms;
  out["streamed_bytes"] = step.answer.streamed_bytes;
  out["launch"] = name_of(step.answer.launch);
  for (const StepLine& line : step.lines) {
    nlohmann::ordered_json entry = {{"name", line.use.name},
                                    {"case", case_text(line.use.c)},
                                    {"count", line.use.count},
                                    {"kernel_source", line.kernel},
                                    {"in_step_ms", line.inside_ms}};
    for (size_t i = 0; i < a.states.size(); ++i) entry["alone_ms"][a.states[i]] = line.alone_ms[i];
    out["ops"].push_back(entry);
  }
  out["left_out"] = nlohmann::ordered_json::array();
  for (const OpUse& use : step.left_out)
    out["left_out"].push_back({{"name", use.name}, {"case", case_text(use.c)}, {"count", use.count}});
  fmt::print("{}\n", out.dump(2));
}

int run_step(const StepVerb& a, const OpRegistry& ops) {
  const MeasuredStep step = measure_step(a, ops);
  if (a.json)
    print_json(step, a);
  else
    print_table(step, a);
  return kDone;
}

}  // namespace

void add_step(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("step", "Run a model's step in place, beside its ops measured alone");
  const auto a = std::make_shared<StepVerb>();
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
