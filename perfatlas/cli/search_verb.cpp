// SPDX-License-Identifier: Apache-2.0
// perfatlas search (default, explain): which configuration serves a model best within latency limits, and why.
#include <fmt/format.h>

#include <optional>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/load_target_options.h"
#include "perfatlas/search/result_files.h"
#include "perfatlas/search/search_text.h"

namespace perfatlas {
namespace {

struct SearchVerb {
  SearchArguments arguments;
  std::optional<int> total_gpus;
  LoadTarget load;
  std::string save_dir;
  bool json = false;
  bool explain = false;
};

/// Whether a load says how many GPUs to take.
bool for_load(const SearchVerb& a) {
  if (a.total_gpus && !empty(a.load))
    throw UsageError(
        "--total-gpus says how many GPUs there are, --target-request-rate and --target-concurrency ask for "
        "the "
        "fewest: give one of them");
  if (!a.total_gpus && empty(a.load))
    throw UsageError(a.explain ? "--total-gpus is required: GPUs at hand"
                               : "say how many GPUs there are (--total-gpus), or what they must carry "
                                 "(--target-request-rate or --target-concurrency)");
  if (!a.total_gpus && !a.save_dir.empty()) throw UsageError("--save-dir goes with --total-gpus");
  return !a.total_gpus;
}

int run_search_verb(const SearchVerb& a, const OpRegistry& ops) {
  if (for_load(a)) return recommend_for_load(a.arguments, a.load, a.json, ops);
  SearchRequest request = a.arguments.complete(aic::Mode::silicon);
  request.total_gpus = *a.total_gpus;
  check_request(request);
  return with_session(a.arguments, ops, [&](estimate::Session& session) {
    const SearchResult result = run_search(session, request);
    fmt::print("{}", a.json ? search_json(result) : a.explain ? explain_text(result) : search_text(result));
    if (!a.save_dir.empty()) {
      const std::string folder = a.save_dir + "/" + result_folder_name(request);
      write_results(result, folder);
      if (!a.json) fmt::print("results in {} (report.html, launch.sh, tables)\n", folder);
    }
    return result.chosen && !result.experiments[*result.chosen].picks.limit_exceeded ? kDone : kFailed;
  });
}

/// One of the verbs that search; `alias` verbs are hidden from --help.
CLI::App* add_verb(CLI::App& app, Invocation& invocation, const std::string& name, const std::string& doc,
                   bool explain) {
  CLI::App* verb = app.add_subcommand(name, doc);
  const auto a = std::make_shared<SearchVerb>();
  a->explain = explain;
  a->arguments.add_to(*verb);
  verb->add_option("--total-gpus", a->total_gpus, "GPUs at hand");
  if (!explain) {
    add_load_target(*verb, a->load);
    verb->add_option("--save-dir", a->save_dir, "Folder for report.html, tables and launch commands");
  }
  verb->add_flag("--json", a->json, "For machines");
  verb->callback([a, &invocation] {
    invocation.action = [a, &invocation] { return run_search_verb(*a, invocation.ops); };
  });
  return verb;
}

}  // namespace

void add_search(CLI::App& app, Invocation& invocation) {
  CLI::App* search = add_verb(app, invocation, "search",
                              "Which serving configuration is best within latency limits, and why", false);
  search->alias("default");
  search->footer(
      "Examples:\n"
      "  perfatlas search --model Qwen/Qwen3-32B --system h200_sxm --total-gpus 32 --isl 4000 --osl 1000 \\\n"
      "      --ttft 1000 --tpot 10 --systems-path aiconfigurator_core-0.12.0-*.whl\n"
      "  perfatlas search --model deepseek-ai/DeepSeek-V3 --system h200_sxm --total-gpus 32 --backend auto "
      "\\\n"
      "      --request-latency 12000 --save-dir results\n"
      "  perfatlas search --model Qwen/Qwen3-32B --system h200_sxm --target-request-rate 20 --ttft 1000 "
      "--tpot 20\n"
      "Exit code 1 when no configuration meets the limits; docs/metrics.md defines the figures.");
  add_verb(app, invocation, "explain",
           "What bound a search: memory, TTFT, TPOT or missing data, and what is nearest", true)
      ->footer(
          "Example:\n"
          "  perfatlas explain --model Qwen/Qwen3-32B --system h100_sxm --total-gpus 1 --ttft 50 --tpot 5");
}

}  // namespace perfatlas
