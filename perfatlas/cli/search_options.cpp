// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/search_options.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/estimate/request_json.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

constexpr double kDefaultTtftMs = 2000, kDefaultTpotMs = 30;

std::vector<estimate::Framework> frameworks_of(const std::string& backend) {
  using estimate::Framework;
  if (backend == "auto") return {Framework::trtllm, Framework::sglang, Framework::vllm};
  std::vector<Framework> frameworks;
  for (const std::string_view name : split(backend, ','))
    frameworks.push_back(estimate::framework_from_name(std::string(trim(name))));
  return frameworks;
}

void set_serving_mode(SearchRequest& request, const std::string& mode) {
  if (mode != "auto" && mode != "all" && mode != "agg" && mode != "disagg")
    throw UsageError(fmt::format("--serving-mode '{}' is none of auto, all, agg and disagg", mode));
  request.aggregated = mode != "disagg";
  request.disaggregated = mode != "agg";
}

int64_t drafted_tokens(const std::string& text) {
  const auto tokens = parse_integer(text);
  if (!tokens || *tokens < 0)
    throw UsageError(fmt::format("--nextn '{}' must be a whole number of tokens, 0 or more", text));
  return *tokens;
}

/// "1000", or "p90:1000".
double limit_of(const char* flag, const std::string& text, double preset, Statistic& statistic) {
  if (text.empty()) return preset;
  const size_t colon = text.find(':');
  const auto known = colon == std::string::npos ? std::optional(Statistic::mean)
                                                : from_name<Statistic>(text.substr(0, colon));
  const auto limit_ms = parse_real(colon == std::string::npos ? text : text.substr(colon + 1));
  if (!known || !limit_ms)
    throw UsageError(fmt::format(
        "{} '{}' must be milliseconds (1000), or a percentile of them (p50:, p90: or p99:1000)", flag, text));
  statistic = *known;
  return *limit_ms;
}

/// Empty: the simulation, which docs/accuracy.md finds closer to measurements on every engine, where it knows the
/// request.
StepModel step_model_of(const std::string& name, const SearchRequest& request) {
  if (name == "aic") return StepModel::formulas;
  if (name == "sim") return StepModel::simulation;
  if (!name.empty()) throw UsageError(fmt::format("--step-model '{}' is neither aic nor sim", name));
  const bool known = request.workload.prefix == 0 && request.drafted_tokens == 0 && request.workload.osl >= 2;
  return known ? StepModel::simulation : StepModel::formulas;
}

}  // namespace

void SearchArguments::add_to(CLI::App& verb) {
  SearchRequest& r = request;
  verb.add_option("--model,--model-path", r.model,
                  "Id (Qwen/Qwen3-32B), folder with a config.json, or the file itself")
      ->required();
  verb.add_option("--system", r.system, "GPUs: h200_sxm; perfatlas tables lists them")->required();
  verb.add_option("--decode-system", r.decode_system,
                  "GPUs of disaggregated decode workers; default: --system");
  verb.add_option("--backend", backend,
                  "Serving framework: trtllm, sglang, vllm, several by commas, or auto: all");
  verb.add_option("--backend-version,--perf-db-version", r.version,
                  "Version of its tables; default: the current one");
  verb.add_option("--serving-mode", serving_mode, "auto (both), agg or disagg");
  verb.add_option("--isl", r.workload.isl, "Prompt tokens of a request")->default_val(4000);
  verb.add_option("--osl", r.workload.osl, "Generated tokens of a request")->default_val(1000);
  verb.add_option("--prefix", r.workload.prefix, "Prompt tokens that are in the KV cache already");
  verb.add_option(
      "--ttft", ttft,
      "Limit on the mean time to the first token, ms; p90:1000 limits a percentile; default 2000");
  verb.add_option("--tpot", tpot, "Limit on the time per later token, ms, in the same way; default 30");
  verb.add_option(
      "--step-model", step_model,
      "sim: simulation of the scheduler, which knows percentiles; aic: formulas of aiconfigurator 0.12; "
      "default: sim, but aic with --prefix, --nextn or one token of output, which only it knows");
  verb.add_option("--request-latency", r.request_latency_ms,
                  "Limit on the whole request, ms; replaces --tpot");
  verb.add_flag("--strict-sla", r.strict, "Keep nothing beyond the limits, not even on the frontier");
  verb.add_option("--top-n", r.top_n, "Configurations shown per serving mode")->default_val(5);
  verb.add_option("--nextn", nextn, "Tokens drafted per decode step (multi-token prediction)");
  verb.add_option("--nextn-accepted", nextn_accepted, "Of those, accepted on average");
  verb.add_flag("--enable-chunked-prefill", r.chunked_prefill, "Also try steps with a part of a prompt");
  verb.add_option("--free-gpu-memory-fraction", r.limits.fraction,
                  "Memory of the KV cache, as the framework counts it")
      ->check(CLI::Range(1e-3, 1.0));
  verb.add_option("--max-seq-len", r.limits.max_seq_len,
                  "Tokens that a sequence may get, beyond the model's context too");
  verb.add_option("--attention-backend", r.attention_backend, "Attention kernels by the framework's name");
  verb.add_option("--moe-backend", r.moe_backend, "sglang: megamoe or deepep_moe");
  quant.add_to(verb);
  verb.add_option("--database-mode", mode, "SILICON (measured), HYBRID, EMPIRICAL or SOL");
  verb.add_option("--transfer-policy", transfers,
                  "What HYBRID may borrow: off, conservative, balanced, aggressive");
  add_systems_path_option(verb, systems_path,
                          "Published tables: a wheel or a folder; default: PERFATLAS_SYSTEMS");
}

SearchRequest SearchArguments::complete(aic::Mode default_mode) const {
  SearchRequest r = request;
  r.frameworks = frameworks_of(backend);
  set_serving_mode(r, serving_mode);
  r.target = {limit_of("--ttft", ttft, kDefaultTtftMs, r.ttft_statistic),
              limit_of("--tpot", tpot, kDefaultTpotMs, r.tpot_statistic)};
  r.quant = quant.choice();
  r.drafted_tokens = drafted_tokens(nextn);
  r.step_model = step_model_of(step_model, r);
  r.workload.accepted = estimate::accepted_tokens(r.drafted_tokens, nextn_accepted);
  r.view.mode = default_mode;
  if (!mode.empty()) {
    const auto known = aic::mode_from_name(mode);
    if (!known || *known == aic::Mode::sol_full)
      throw UsageError(
          fmt::format("--database-mode '{}' is none of SILICON, HYBRID, EMPIRICAL and SOL", mode));
    r.view.mode = *known;
  }
  if (!transfers.empty()) r.view.transfers = aic::TransferPolicy::from_text(transfers);
  return r;
}

int with_session(const SearchArguments& arguments, const OpRegistry& ops,
                 const std::function<int(estimate::Session&)>& run) {
  const SystemsRoot root(systems_sources(arguments.systems_path), ops);
  estimate::Session session(root, model_libraries());
  return run(session);
}

}  // namespace perfatlas
