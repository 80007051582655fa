// SPDX-License-Identifier: Apache-2.0
// perfatlas estimate: how fast one serving configuration is, whether it fits, and where the figures come from.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/estimate/estimate_text.h"
#include "perfatlas/estimate/request_json.h"
#include "perfatlas/pricing/request_pricer.h"
#include "perfatlas/serving/result_text.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct PoolFlags {
  ParallelFlags parallel;
  std::optional<int64_t> batch, workers, max_seq_len;
  std::optional<double> fraction;
};

struct EstimateArguments {
  std::string model, system, decode_system, backend = "trtllm", version, systems_path;
  std::string mode = "agg", database_mode = "SILICON", transfers = "default", detail;
  std::string attention_backend, moe_backend, nextn = "0", step_model = "aic", jsonl;
  int64_t isl = 1024, osl = 1024, prefix = 0, stride = 32;
  std::optional<int64_t> context_tokens;
  std::optional<double> accepted;
  PoolFlags worker, prefill, decode;
  QuantFlags quant;
  bool json = false;
};

void add_pool(CLI::App& verb, PoolFlags& pool, const std::string& prefix, const std::string& what) {
  const std::string longer = long_prefix(prefix);
  pool.parallel.add_to(verb, prefix, what);
  verb.add_option(fmt::format("--{}bs,--{}batch-size", prefix, longer), pool.batch,
                  what + "requests at once per attention replica");
  if (!prefix.empty())
    verb.add_option(fmt::format("--{}workers,--{}num-workers", prefix, longer), pool.workers,
                    what + "workers");
  verb.add_option("--" + longer + "free-gpu-memory-fraction", pool.fraction,
                  what + "memory for the KV cache, as the framework counts it; default: the framework's");
  verb.add_option("--" + longer + "max-seq-len", pool.max_seq_len,
                  what +
                      "tokens that every sequence may get, beyond the model's context too; a static batch "
                      "gets those of its requests");
}

estimate::Pool pool_of(const PoolFlags& flags, const EstimateArguments& a, std::optional<int64_t> batch) {
  estimate::Pool pool;
  pool.parallel = flags.parallel.widths(a.worker.parallel.widths());
  pool.batch = flags.batch ? flags.batch : batch;
  pool.workers = flags.workers;
  pool.limits.fraction = flags.fraction ? flags.fraction : a.worker.fraction;
  pool.limits.max_seq_len = flags.max_seq_len ? flags.max_seq_len : a.worker.max_seq_len;
  return pool;
}

/// Flags of one mode that another does not read are mistakes.
void refuse_contradictions(const EstimateArguments& a, estimate::ServingMode mode) {
  const bool disagg = mode == estimate::ServingMode::disaggregated;
  if (disagg && a.worker.batch)
    throw UsageError("--batch-size is for one kind of worker; use --p-bs and --d-bs");
  if (disagg && a.context_tokens) throw UsageError("--ctx-tokens is for --mode agg");
  if (!disagg && (a.prefill.batch || a.decode.batch || a.prefill.workers || a.decode.workers ||
                  !a.decode_system.empty()))
    throw UsageError(fmt::format("--p-*, --d-* and --decode-system are for --mode disagg, not {}", a.mode));
  if (mode != estimate::ServingMode::aggregated && a.context_tokens)
    throw UsageError("--ctx-tokens is for --mode agg");
  if (a.step_model != "aic" && a.step_model != "sim")
    throw UsageError(fmt::format("--step-model '{}' is unknown; known: aic and sim", a.step_model));
}

estimate::EstimateRequest request_of(const EstimateArguments& a, estimate::Session& session) {
  estimate::EstimateRequest r;
  r.mode = estimate::serving_mode_from_name(a.mode);
  refuse_contradictions(a, r.mode);
  r.model = a.model;
  r.system = a.system;
  r.decode_system = a.decode_system;
  r.framework = estimate::framework_from_name(a.backend);
  r.version = a.version;
  r.view.mode = estimate::database_mode_from_name(a.database_mode);
  r.view.transfers = aic::TransferPolicy::from_text(a.transfers);
  r.drafted_tokens = estimate::drafted_tokens_from_text(a.nextn, *session.model(a.model));
  r.workload = {.isl = a.isl,
                .osl = a.osl,
                .prefix = a.prefix,
                .accepted = estimate::accepted_tokens(r.drafted_tokens, a.accepted)};
  r.quant = a.quant.choice();
  r.attention_backend = a.attention_backend;
  r.moe_backend = a.moe_backend;
  r.worker = pool_of(a.worker, a, estimate::kDefaultBatch);
  r.prefill = pool_of(a.prefill, a, std::nullopt);
  r.decode = pool_of(a.decode, a, std::nullopt);
  r.decode.parallel.cp = 1;  // a decode worker has no prompts to share
  r.context_tokens = a.context_tokens;
  r.stride = a.stride;
  return r;
}

/// One answer line per request line; an answer without figures has "error". Fails when any request does.
int answer_lines(const std::string& path, estimate::Session& session) {
  std::ifstream file;
  if (path != "-") file.open(path);
  std::istream& in = path == "-" ? std::cin : file;
  if (!in) throw UsageError(fmt::format("--jsonl {}: cannot be read", path));
  bool all = true;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    nlohmann::json out;
    try {
      const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      out = estimate::estimate_json(
          estimate::run_estimate(session, estimate::request_from_json(object, session)));
    } catch (const Error& error) {
      out = {{"error", error.what()}};
      all = false;
    }
    fmt::print("{}\n", out.dump());
  }
  return all ? kDone : kFailed;
}

/// The configuration in a closed loop of as many users as it takes at once.
Prediction simulated(estimate::Session& session, const estimate::EstimateRequest& request) {
  if (request.drafted_tokens > 0 || request.workload.prefix > 0)
    throw UsageError(
        "--step-model sim knows neither drafted tokens nor cached prefixes; leave --nextn and --prefix at 0");
  estimate::check_request(request, session.model(request.model)->sizes());
  ServingQuestion question = serving_question(request);
  RequestPricer(session).price(request, false, question);
  return predict(question);
}

int run_estimate_verb(const EstimateArguments& a, const OpRegistry& ops) {
  const estimate::Detail detail = estimate::detail_from_name(a.detail);
  const SystemsRoot root(systems_sources(a.systems_path), ops);
  estimate::Session session(root, model_libraries());
  if (!a.jsonl.empty()) return answer_lines(a.jsonl, session);
  if (a.model.empty() || a.system.empty())
    throw UsageError("--model and --system are missing; see estimate --help");
  const estimate::EstimateRequest request = request_of(a, session);
  if (a.step_model == "sim") {
    const Prediction prediction = simulated(session, request);
    fmt::print("{}", a.json ? prediction_json(prediction) + "\n" : prediction_text(prediction));
    return prediction.result.stopped_early.empty() ? kDone : kFailed;
  }
  const estimate::Estimate estimate = estimate::run_estimate(session, request);
  fmt::print("{}", a.json ? estimate::estimate_json(estimate).dump() + "\n"
                          : estimate::estimate_text(estimate, detail));
  return kDone;
}

void add_identity(CLI::App& verb, EstimateArguments& a) {
  verb.add_option("--model,--model-path", a.model, "Id (Qwen/Qwen3-32B) or folder with a config.json");
  verb.add_option("--system", a.system, "GPU: h200_sxm, b200_sxm, ...");
  verb.add_option("--decode-system", a.decode_system, "GPU of decode workers; default: --system");
  verb.add_option("--backend", a.backend, "Serving framework: trtllm (default), sglang or vllm");
  verb.add_option("--backend-version,--perf-db-version", a.version, "Its version; default: the current one");
  add_systems_path_option(verb, a.systems_path,
                          "Published tables: a wheel or a folder; default: PERFATLAS_SYSTEMS");
  verb.add_option("--database-mode", a.database_mode, "SILICON (default), HYBRID, EMPIRICAL or SOL");
  verb.add_option("--transfer-policy", a.transfers,
                  "What HYBRID may borrow: off, conservative, balanced, aggressive");
  verb.add_option("--step-model", a.step_model,
                  "aic: the scheduling and memory model of aiconfigurator 0.12, with memory and time per op "
                  "(default); sim: "
                  "simulate as many users as run at once, closer to measured serving (perfatlas simulate has "
                  "more flags)");
}

void add_workload(CLI::App& verb, EstimateArguments& a) {
  verb.add_option("--mode,--estimate-mode", a.mode,
                  "agg (default), disagg, static, static_ctx or static_gen");
  verb.add_option("--isl", a.isl, "Prompt tokens; default 1024");
  verb.add_option("--osl", a.osl, "Generated tokens; default 1024");
  verb.add_option("--prefix", a.prefix, "Prompt tokens that are cached already; default 0");
  verb.add_option("--ctx-tokens", a.context_tokens, "Prompt tokens per mixed step; default: isl");
  verb.add_option("--nextn", a.nextn, "Tokens drafted per decode step, or auto; default 0");
  verb.add_option("--nextn-accepted", a.accepted, "Of these, how many hold on average");
  verb.add_option("--stride", a.stride, "Decode steps that one price stands for; default 32");
  verb.add_option("--attention-backend", a.attention_backend, "Attention kernels; default: the framework's");
  verb.add_option("--moe-backend", a.moe_backend, "Expert kernels of sglang: megamoe, deepep_moe");
}

}  // namespace

void add_estimate(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("estimate", "How fast one serving configuration is, and whether it fits");
  const auto a = std::make_shared<EstimateArguments>();
  add_identity(*verb, *a);
  add_workload(*verb, *a);
  add_pool(*verb, a->worker, "", "");
  add_pool(*verb, a->prefill, "p-", "Prefill: ");
  add_pool(*verb, a->decode, "d-", "Decode: ");
  a->quant.add_to(*verb);
  verb->add_option("--detail", a->detail, "none, summary, memory, time, energy, source or all");
  verb->add_flag("--json", a->json, "For machines");
  verb->add_option("--jsonl", a->jsonl,
                   "Many requests, one JSON object a line, from a file or '-'; answers likewise");
  verb->footer(
      "Examples:\n"
      "  perfatlas estimate --model Qwen/Qwen3-32B --system h200_sxm --tp 4 --bs 64 --isl 4000 --osl 1000 "
      "\\\n"
      "    --systems-path aiconfigurator_core-0.12.0-*.whl --detail all\n"
      "  perfatlas estimate --model Qwen/Qwen3-32B --system h200_sxm --mode disagg --tp 2 --p-bs 1 "
      "--p-workers 4 \\\n"
      "    --d-bs 32 --d-workers 2\n"
      "docs/metrics.md defines the figures.");
  verb->callback([a, &invocation] {
    invocation.action = [a, &invocation] { return run_estimate_verb(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
