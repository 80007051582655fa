// SPDX-License-Identifier: Apache-2.0
// perfatlas load: what users of a running endpoint see, to hold beside a prediction.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/load/load_run.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/serving/trace_file.h"

namespace perfatlas {
namespace {

constexpr int64_t kPoissonRequests = 100;

struct LoadArguments {
  LoadEndpoint target;
  std::string api = "completions", trace, out;
  std::optional<int64_t> users;
  std::optional<double> rate;
  std::optional<int64_t> requests;
  int64_t isl = 0, osl = 0;
  double length_ratio = 1;
  uint32_t seed = 1;
  bool json = false;
};

Workload workload_of(const LoadArguments& a) {
  if (int(a.users.has_value()) + int(a.rate.has_value()) + int(!a.trace.empty()) != 1)
    throw UsageError("say how requests come, in one of three ways: --users N, --rate R or --trace FILE");
  Workload workload{.input = {a.isl, a.length_ratio}, .output = {a.osl, a.length_ratio}, .seed = a.seed};
  if (!a.trace.empty()) {
    workload.arrivals = open_trace(a.trace);
    return workload;
  }
  if (a.isl < 1 || a.osl < 1) throw UsageError("say how long requests are: --isl and --osl, in tokens");
  if (a.users)
    workload.arrivals = ClosedLoop{.users = *a.users, .requests = a.requests};
  else
    workload.arrivals =
        PoissonArrivals{.requests_per_s = *a.rate, .requests = a.requests.value_or(kPoissonRequests)};
  return workload;
}

nlohmann::ordered_json summary_json(const Summary& s) {
  return {{"mean", s.mean}, {"p50", s.p50}, {"p90", s.p90}, {"p99", s.p99}, {"count", s.count}};
}

std::string request_line(const LoadedRequest& r) {
  nlohmann::ordered_json json = {{"id", r.id},
                                 {"input_tokens", r.input_tokens},
                                 {"output_tokens", r.output_tokens},
                                 {"send_ms", r.send_ms},
                                 {"first_ms", r.first_ms},
                                 {"done_ms", r.done_ms},
                                 {"token_ms", r.token_ms}};
  json["error"] = r.error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(r.error);
  return json.dump() + "\n";
}

void print_result(const LoadResult& r) {
  fmt::print("{:12} {:>10} {:>10} {:>10} {:>10}\n", "ms", "mean", "p50", "p90", "p99");
  for (const auto& [name, s] : {std::pair{"TTFT", r.ttft_ms},
                                {"TPOT", r.tpot_ms},
                                {"token gap", r.gap_ms},
                                {"end to end", r.latency_ms}})
    fmt::print("{:12} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f}\n", name, s.mean, s.p50, s.p90, s.p99);
  fmt::print("{} requests answered, {} failed, {:.2f} s, {:.1f} output tokens/s\n",
             int64_t(r.requests.size()) - r.failed, r.failed, r.duration_ms / 1000,
             r.duration_ms > 0 ? r.output_tokens * 1000 / r.duration_ms : 0);
  if (r.late > 0) fmt::print("{} requests were sent late: the client could not keep up\n", r.late);
}

int run_load_verb(LoadArguments a) {
  const auto api = FieldCodec<LoadApi>::parse(a.api);
  if (!api) throw UsageError(fmt::format("--api '{}' is none of completions, chat and llama_cpp", a.api));
  a.target.api = LoadApi(*api);
  std::optional<AtomicFile> file;
  if (!a.out.empty()) file.emplace(a.out);  // before the load: a bad path costs nothing
  const LoadResult result = run_load(a.target, workload_of(a));
  if (file) {
    for (const LoadedRequest& request : result.requests) file->write(request_line(request));
    file->commit();
  }
  if (a.json)
    fmt::print("{}\n", nlohmann::ordered_json{{"ttft_ms", summary_json(result.ttft_ms)},
                                              {"tpot_ms", summary_json(result.tpot_ms)},
                                              {"gap_ms", summary_json(result.gap_ms)},
                                              {"latency_ms", summary_json(result.latency_ms)},
                                              {"requests", result.requests.size()},
                                              {"failed", result.failed},
                                              {"late", result.late},
                                              {"duration_ms", result.duration_ms}}
                           .dump());
  else
    print_result(result);
  return result.failed == 0 ? kDone : kFailed;
}

}  // namespace

void add_load(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("load", "Put load on a serving endpoint and measure TTFT and TPOT");
  const auto a = std::make_shared<LoadArguments>();
  verb->add_option("--url", a->target.url, "Address of the endpoint: http://127.0.0.1:8000")->required();
  verb->add_option("--api", a->api, "completions (OpenAI, prompts as token ids), chat (OpenAI), or llama_cpp")
      ->capture_default_str();
  verb->add_option("--model", a->target.model, "Model, as the endpoint calls it");
  verb->add_option("--api-key", a->target.key, "Sent as bearer token");
  verb->add_option("--vocabulary", a->target.vocabulary, "Prompt token ids are below this")
      ->capture_default_str();
  verb->add_option("--users", a->users, "Closed loop: so many users, each with one request under way");
  verb->add_option("--rate", a->rate, "Poisson arrivals: requests per second");
  verb->add_option("--trace", a->trace, "Requests of a recorded trace (as perfatlas simulate)");
  verb->add_option("--requests", a->requests, "Requests in all; default: 10 per user, or 100");
  verb->add_option("--isl", a->isl, "Prompt tokens, the longest");
  verb->add_option("--osl", a->osl, "Output tokens, the most");
  verb->add_option("--length-ratio", a->length_ratio, "Shortest over longest length")->capture_default_str();
  verb->add_option("--seed", a->seed, "Of lengths and arrival times")->capture_default_str();
  verb->add_option("--timeout", a->target.timeout_s, "Seconds that one request may take")
      ->capture_default_str();
  verb->add_option("--out", a->out, "Write one JSON line per request, with the time of every token");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas load --url http://127.0.0.1:8000 --model m --users 4 --isl 128 --osl 32\n"
      "  perfatlas load --url http://127.0.0.1:8080 --api llama_cpp --rate 0.5 --requests 50 --isl 128 --osl "
      "32\n"
      "  perfatlas load --url http://127.0.0.1:8000 --model m --trace mooncake.jsonl --out requests.jsonl\n"
      "Exit code 1 when a request failed.");
  verb->callback([&invocation, a] { invocation.action = [a] { return run_load_verb(*a); }; });
}

}  // namespace perfatlas
