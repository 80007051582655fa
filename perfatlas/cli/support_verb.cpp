// SPDX-License-Identifier: Apache-2.0
// perfatlas support: where a model can be estimated, and what is missing elsewhere.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/estimate/support.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct SupportArguments {
  std::string model, system, backend, version, systems_path, database_mode = "SILICON";
  bool json = false;
};

estimate::SupportQuestion question_of(const SupportArguments& a) {
  estimate::SupportQuestion q;
  q.model = a.model;
  q.version = a.version;
  if (!a.system.empty()) q.systems = {a.system};
  if (!a.backend.empty()) q.frameworks = {estimate::framework_from_name(a.backend)};
  const auto mode = aic::mode_from_name(a.database_mode);
  if (!mode || *mode == aic::Mode::sol_full)
    throw UsageError(fmt::format("--database-mode '{}' is unknown; known: SILICON, HYBRID, EMPIRICAL and SOL",
                                 a.database_mode));
  q.view.mode = *mode;
  return q;
}

int run_support(const SupportArguments& a, const OpRegistry& ops) {
  const SystemsRoot root(systems_sources(a.systems_path), ops);
  estimate::Session session(root, model_libraries());
  const auto answers = estimate::support_of(session, question_of(a));
  const auto yes = [](bool works) { return works ? "yes" : "no"; };
  nlohmann::json list = nlohmann::json::array();
  if (!a.json)
    fmt::print("{:<20} {:<8} {:<12} {:<4} {:<7} {:<24} missing\n", "system", "backend", "version", "agg",
               "disagg", "split");
  bool any = false;
  for (const estimate::SupportAnswer& s : answers) {
    any |= s.aggregated || s.disaggregated;
    if (a.json)
      list.push_back({{"system", s.system},
                      {"backend", name_of(s.framework)},
                      {"version", s.version},
                      {"agg", s.aggregated},
                      {"disagg", s.disaggregated},
                      {"parallel", s.split},
                      {"missing", s.missing}});
    else
      fmt::print("{:<20} {:<8} {:<12} {:<4} {:<7} {:<24} {}\n", s.system, name_of(s.framework), s.version,
                 yes(s.aggregated), yes(s.disaggregated), s.split.empty() ? "-" : s.split, s.missing);
  }
  if (a.json) fmt::print("{}\n", list.dump());
  return any ? kDone : kFailed;
}

}  // namespace

void add_support(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("support", "Where a model can be estimated, and what is missing elsewhere");
  const auto a = std::make_shared<SupportArguments>();
  verb->add_option("--model,--model-path", a->model, "Id (Qwen/Qwen3-32B) or folder with a config.json")
      ->required();
  verb->add_option("--system", a->system, "Only this GPU; default: all that have tables");
  verb->add_option("--backend", a->backend, "Only this framework: trtllm, sglang or vllm");
  verb->add_option("--backend-version", a->version, "Its version; default: the current one of each system");
  verb->add_option("--database-mode", a->database_mode, "SILICON (default), HYBRID, EMPIRICAL or SOL");
  add_systems_path_option(*verb, a->systems_path,
                          "Published tables: a wheel or a folder; default: PERFATLAS_SYSTEMS");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas support --model deepseek-ai/DeepSeek-V3 --systems-path aiconfigurator_core-0.12.0-*.whl\n"
      "  perfatlas support --model Qwen/Qwen3-32B --system h200_sxm --backend vllm\n"
      "Splits of up to one node are tried. Exit code 1 when the model works nowhere.");
  verb->callback(
      [a, &invocation] { invocation.action = [a, &invocation] { return run_support(*a, invocation.ops); }; });
}

}  // namespace perfatlas
