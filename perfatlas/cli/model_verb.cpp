// SPDX-License-Identifier: Apache-2.0
// perfatlas model NAME: what a model is made of, per rank.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/estimate/model_text.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct ModelArguments {
  std::string name, systems_path, backend = "trtllm", system;
  ParallelFlags parallel;
  QuantFlags quant;
  int64_t nextn = 0;
  bool list = false, json = false;
};

/// Published tables are welcome here, not needed: they bring model configurations and the GPU's generation.
std::unique_ptr<SystemsRoot> open_root(const ModelArguments& a, const OpRegistry& ops) {
  const std::vector<std::string> sources = find_systems_sources(a.systems_path);
  return sources.empty() ? nullptr : std::make_unique<SystemsRoot>(sources, ops);
}

int run_model(const ModelArguments& a, const OpRegistry& ops) {
  const std::unique_ptr<SystemsRoot> root = open_root(a, ops);
  const estimate::ModelLibrary library{root.get(), model_libraries()};
  if (a.list) {
    for (const std::string& id : estimate::known_checkpoints(library)) fmt::print("{}\n", id);
    return kDone;
  }
  if (a.name.empty())
    throw UsageError("say which model: an id, a folder or a config.json; --list prints the known ids");
  estimate::ModelQuestion question;
  question.framework = estimate::framework_from_name(a.backend);
  question.parallel = a.parallel.widths();
  question.quant = a.quant.choice();
  question.drafted_tokens = a.nextn;
  if (!a.system.empty() && root == nullptr) throw UsageError("--system needs --systems-path");
  if (!a.system.empty()) question.system = &root->system(a.system);
  const auto model = estimate::make_served_model(estimate::find_checkpoint(a.name, library));
  const estimate::ModelReport report = estimate::report_model(*model, question);
  fmt::print("{}", a.json ? estimate::model_json(report).dump() + "\n" : estimate::model_text(report));
  return kDone;
}

}  // namespace

void add_model(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("model", "What a model is made of: sizes, bytes per rank, ops of a step");
  const auto a = std::make_shared<ModelArguments>();
  verb->add_option("model", a->name, "Id (Qwen/Qwen3-32B), folder with a config.json, or the file itself");
  add_systems_path_option(*verb, a->systems_path, "Published tables, for the ids that come with them");
  verb->add_option("--system", a->system, "GPU that the types are chosen for; needs --systems-path");
  verb->add_option("--backend", a->backend, "Serving framework: trtllm, sglang or vllm");
  a->parallel.add_to(*verb, "", "");
  a->quant.add_to(*verb);
  verb->add_option("--nextn", a->nextn, "Tokens drafted per decode step");
  verb->add_flag("--list", a->list, "Print the known ids");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas model Qwen3-0.6B\n"
      "  perfatlas model deepseek-ai/DeepSeek-V3 --tp 8 --ep 8 --systems-path "
      "aiconfigurator_core-0.12.0-*.whl");
  verb->callback(
      [a, &invocation] { invocation.action = [a, &invocation] { return run_model(*a, invocation.ops); }; });
}

}  // namespace perfatlas
