// SPDX-License-Identifier: Apache-2.0
// perfatlas recommend: the fewest GPUs that serve a load within latency limits.
#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/load_target_options.h"
#include "perfatlas/search/search_text.h"

namespace perfatlas {
namespace {

struct RecommendArguments {
  SearchArguments search;
  LoadTarget load;
  bool json = false;
};

LoadTarget checked(const LoadTarget& load) {
  if (load.requests_per_s.has_value() == load.concurrency.has_value())
    throw UsageError(
        "say what the deployment must carry: either --target-request-rate or --target-concurrency");
  const double amount = load.requests_per_s ? *load.requests_per_s : *load.concurrency;
  if (!(amount > 0)) throw UsageError("the load to carry must be a positive number");
  return load;
}

}  // namespace

void add_load_target(CLI::App& verb, LoadTarget& load) {
  verb.add_option("--target-request-rate", load.requests_per_s, "Requests per second to serve");
  verb.add_option("--target-concurrency", load.concurrency, "Requests in flight to serve");
}

bool empty(const LoadTarget& load) { return !load.requests_per_s && !load.concurrency; }

int recommend_for_load(const SearchArguments& search, const LoadTarget& load, bool json,
                       const OpRegistry& ops) {
  const LoadTarget target = checked(load);
  SearchRequest request = search.complete(aic::Mode::hybrid);
  request.total_gpus = 2;  // replaced by the GPUs of whole nodes
  check_request(request);
  return with_session(search, ops, [&](estimate::Session& session) {
    const RecommendResult result = run_recommend(session, request, target);
    fmt::print("{}", json ? recommend_json(result) : recommend_text(result, target));
    return result.matches.empty() ? kFailed : kDone;
  });
}

void add_recommend(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("recommend", "Fewest GPUs that serve a load within latency limits");
  const auto a = std::make_shared<RecommendArguments>();
  a->search.add_to(*verb);
  add_load_target(*verb, a->load);
  verb->add_flag("--json", a->json, "For machines");
  verb->callback([a, &invocation] {
    invocation.action = [a, &invocation] {
      return recommend_for_load(a->search, a->load, a->json, invocation.ops);
    };
  });
  verb->footer(
      "Example:\n"
      "  perfatlas recommend --model Qwen/Qwen3-32B --system h200_sxm --target-request-rate 20 --ttft 1000 "
      "--tpot 20\n"
      "Rows that were not measured are estimated (--database-mode HYBRID) unless another mode is given.");
}

}  // namespace perfatlas
