// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/result_files.h"

#include <fmt/format.h>

#include "perfatlas/base/file.h"
#include "perfatlas/search/launch.h"

namespace perfatlas {
namespace {

std::string cell_text(const estimate::Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return fmt::format("{}", *real);
  const auto* text = std::get_if<std::string>(&cell);
  if (text == nullptr) return {};
  if (text->find_first_of(",\"\n") == text->npos) return *text;
  std::string quoted = "\"";
  for (const char c : *text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

LaunchPlan plan_of(const SearchRequest& request, const estimate::Worker& worker, const std::string& version,
                   WorkerRole role, int64_t batch) {
  const estimate::Deployment& d = worker.deployment();
  const estimate::CacheRule rule =
      role == WorkerRole::aggregated
          ? estimate::aggregated_cache_rule(d.framework, version)
          : estimate::static_cache_rule(d, version, estimate::capacity_bytes(worker.system()));
  return {.role = role,
          .model = request.model,
          .framework = d.framework,
          .parallel = d.parallel,
          .has_experts = worker.model().has_experts(),
          .kv_in_fp8 = d.quant.kv == aic::QuantMode::fp8,
          .max_running = batch,
          .max_sequence = request.limits.max_seq_len.value_or(request.workload.isl + request.workload.osl),
          .chunked_prefill = request.chunked_prefill,
          .memory_fraction = request.limits.fraction.value_or(rule.fraction),
          .drafted_tokens = d.drafted_tokens};
}

}  // namespace

std::string result_csv(const SearchRequest& request, const Experiment& experiment,
                       const std::vector<size_t>& rows) {
  std::string text;
  for (const size_t i : rows) {
    const estimate::Row row = table_row(request, experiment.found[i]);
    std::string header, line;
    for (const auto& [name, cell] : row) {
      const char* comma = header.empty() ? "" : ",";
      header += comma;
      header += name;
      line += comma;
      line += cell_text(cell);
    }
    if (text.empty()) text = fmt::format("{}\n", header);
    text += fmt::format("{}\n", line);
  }
  return text;
}

std::string launch_text(const SearchRequest& request, const Found& found) {
  const int replicas = request.total_gpus / found.replica_gpus;
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice)) {
    LaunchPlan plan =
        plan_of(request, *choice->worker, choice->version, WorkerRole::aggregated, choice->point.batch);
    plan.token_budget = choice->result.step_tokens;
    return fmt::format("# {} worker{} of {} GPUs, each:\n", replicas, replicas == 1 ? "" : "s",
                       found.replica_gpus) +
           launch_command(plan);
  }
  const auto& pools = std::get<DisaggregatedChoice>(found.choice);
  LaunchPlan prefill = plan_of(request, *pools.prefill.worker, pools.prefill.version, WorkerRole::prefill,
                               pools.prefill.batch);
  prefill.token_budget = pools.prefill.batch * request.workload.isl;
  LaunchPlan decode =
      plan_of(request, *pools.decode.worker, pools.decode.version, WorkerRole::decode, pools.decode.batch);
  return fmt::format("# {} replica{} of {} GPUs. Prefill, {} worker{} of a replica, each:\n", replicas,
                     replicas == 1 ? "" : "s", found.replica_gpus, pools.prefill.workers,
                     pools.prefill.workers == 1 ? "" : "s") +
         launch_command(prefill) +
         fmt::format("\n# Decode, {} worker{} of a replica, each:\n", pools.decode.workers,
                     pools.decode.workers == 1 ? "" : "s") +
         launch_command(decode);
}

std::string result_folder_name(const SearchRequest& request) {
  std::string backends;
  for (const estimate::Framework framework : request.frameworks)
    backends += fmt::format("{}{}", backends.empty() ? "" : "-", name_of(framework));
  std::string name = fmt::format("{}_{}_{}_isl{}_osl{}_ttft{}", request.model, request.system, backends,
                                 request.workload.isl, request.workload.osl, request.target.ttft_ms);
  name += request.request_latency_ms ? fmt::format("_request{}", *request.request_latency_ms)
                                     : fmt::format("_tpot{}", request.target.tpot_ms);
  for (char& c : name)
    if (!(isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-')) c = '-';
  constexpr size_t kLongestName = 200;
  return name[0] == '.' ? "model" + name.substr(0, kLongestName) : name.substr(0, kLongestName);
}

void write_results(const SearchResult& result, const std::string& folder) {
  make_writable_folder(folder);
  for (const Experiment& e : result.experiments) {
    const std::string place = folder + "/" + e.name;
    make_writable_folder(place);
    replace_file(place + "/pareto.csv", result_csv(result.request, e, e.frontier));
    replace_file(place + "/best_config_topn.csv", result_csv(result.request, e, e.picks.rows));
  }
  if (result.chosen) {
    const Experiment& e = result.experiments[*result.chosen];
    replace_file(folder + "/launch.sh", launch_text(result.request, e.found[e.picks.rows[0]]));
  }
  replace_file(folder + "/report.html", search_html(result));
}

}  // namespace perfatlas
