// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/serving_check.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/busy_machine.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/plan_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/pricing/table_prices.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/serving/settings.h"
#include "perfatlas/store/layout.h"

namespace perfatlas {
namespace {

constexpr int kAttempts = 3;
constexpr double kLookSeconds = 0.5;

struct Times {
  double ttft_ms = 0, tpot_ms = 0;
};

struct CheckedCase {
  int64_t users = 1;
  double length_ratio = 1;
  int64_t requests = 0;
  Times measured, predicted;
  double busy = 0;  // share of the processors, just before
  bool idle = true;

  double ttft_error() const { return predicted.ttft_ms / measured.ttft_ms - 1; }
  double tpot_error() const { return predicted.tpot_ms / measured.tpot_ms - 1; }
};

LoadEndpoint target_of(const ServingCheck& check) {
  const std::string name =
      check.api.empty() ? (check.engine == "llama_cpp" ? "llama_cpp" : "completions") : check.api;
  const auto api = FieldCodec<LoadApi>::parse(name);
  if (!api) throw UsageError(fmt::format("--api '{}' is none of completions, chat and llama_cpp", name));
  return {.url = check.url, .api = LoadApi(*api), .model = check.served_model};
}

Workload workload_of(const ServingCheck& check, int64_t users, double ratio) {
  return {.input = {check.isl, ratio},
          .output = {check.osl, ratio},
          .arrivals = ClosedLoop{.users = users, .requests = check.requests_per_user * users}};
}

/// Settings of perfatlas simulate that a case of the check sets itself.
constexpr std::array<std::string_view, 12> kOfTheLoad{"engine", "users",    "rate",    "requests",
                                                      "waves",  "isl",      "osl",     "length_ratio",
                                                      "seed",   "front_ms", "back_ms", "name"};

ServingQuestion question_of(const ServingCheck& check, PriceTables prices) {
  ServingQuestion question;
  question.prices = std::make_shared<PriceTables>(std::move(prices));
  // Client and HTTP server share one core, so requests that are sent together reach the engine one by one.
  const double front_ms = check.path_ms / 2;
  question.path = RequestPath{.front_ms = front_ms, .back_ms = front_ms, .front_apart_ms = front_ms};
  question.step_overhead_ms = 0;  // of measured ops only; --launch step_overhead_ms=N says otherwise
  apply_setting(question, "engine", check.engine);
  for (const std::string& text : check.launch) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) throw UsageError(fmt::format("--launch '{}': give name=value", text));
    const std::string name = text.substr(0, equals);
    if (std::count(kOfTheLoad.begin(), kOfTheLoad.end(), name) > 0)
      throw UsageError(
          fmt::format("--launch {}: that is no launch parameter; verify has flags for the load", name));
    apply_setting(question, name, text.substr(equals + 1));
  }
  return question;
}

/// All cases as predicted: what cannot be is refused before any load.
std::vector<CheckedCase> predicted_cases(const ServingCheck& check, ServingQuestion question) {
  std::vector<CheckedCase> cases;
  for (const double ratio : check.length_ratios)
    for (const int64_t users : check.users) {
      question.workload = workload_of(check, users, ratio);
      const SimulationResult result = predict(question).result;
      cases.push_back(
          {.users = users, .length_ratio = ratio, .predicted = {result.ttft_ms.mean, result.tpot_ms.mean}});
    }
  return cases;
}

/// Puts the load of the case on the engine, when the machine is idle if that can be had.
void measure(const ServingCheck& check, CheckedCase& result) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    result.busy = busy_share(kLookSeconds);
    result.idle = result.busy <= check.most_busy;
    if (result.idle) break;
  }
  const LoadResult load = run_load(target_of(check), workload_of(check, result.users, result.length_ratio));
  if (load.failed > 0)
    throw Error(fmt::format("{}: {} requests failed with {} users", check.url, load.failed, result.users));
  result.requests = int64_t(load.requests.size());
  result.measured = {load.ttft_ms.mean, load.tpot_ms.mean};
}

double median_error(const std::vector<CheckedCase>& cases, double (CheckedCase::*error)() const) {
  std::vector<double> errors;
  for (const CheckedCase& c : cases)
    if (c.idle) errors.push_back(std::abs((c.*error)()));
  if (errors.empty()) return std::nan("");
  std::sort(errors.begin(), errors.end());
  const size_t half = errors.size() / 2;
  return errors.size() % 2 == 1 ? errors[half] : (errors[half - 1] + errors[half]) / 2;
}

void print_case(const CheckedCase& c) {
  fmt::print("{:>5} {:>7.2f} {:>8} {:>11.1f} {:>10.1f} {:>+7.1f}% {:>11.2f} {:>10.2f} {:>+7.1f}%  {}\n",
             c.users, c.length_ratio, c.requests, c.measured.ttft_ms, c.predicted.ttft_ms,
             100 * c.ttft_error(), c.measured.tpot_ms, c.predicted.tpot_ms, 100 * c.tpot_error(),
             c.idle ? std::string() : fmt::format("machine {:.0f} % busy before", 100 * c.busy));
}

nlohmann::ordered_json case_json(const CheckedCase& c) {
  return {{"users", c.users},
          {"length_ratio", c.length_ratio},
          {"requests", c.requests},
          {"measured", {{"ttft_ms", c.measured.ttft_ms}, {"tpot_ms", c.measured.tpot_ms}}},
          {"predicted", {{"ttft_ms", c.predicted.ttft_ms}, {"tpot_ms", c.predicted.tpot_ms}}},
          {"ttft_error", c.ttft_error()},
          {"tpot_error", c.tpot_error()},
          {"idle", c.idle}};
}

void print_medians(const std::vector<CheckedCase>& cases) {
  const auto idle = std::count_if(cases.begin(), cases.end(), [](const CheckedCase& c) { return c.idle; });
  if (idle == 0) {
    fmt::print("no case began on an idle machine: no median error\n");
    return;
  }
  fmt::print("median error over {} cases: TTFT {:.1f} %, TPOT {:.1f} %\n", idle,
             100 * median_error(cases, &CheckedCase::ttft_error),
             100 * median_error(cases, &CheckedCase::tpot_error));
}

TablePrices prices_of(const ServingCheck& check, const OpRegistry& ops) {
  const auto model = find_model(check.model, model_libraries(), ops, model_options(check.dtype));
  Database tables(data_root(check.data));
  const int64_t users = *std::max_element(check.users.begin(), check.users.end());
  const StepRange range{.step_tokens = std::max<int64_t>(512, users * check.isl),
                        .prompt_tokens = std::max<int64_t>(512, check.isl + check.osl),
                        .sequences = users,
                        .last_layer_cut = check.engine == "llama_cpp"};
  return table_prices(*model, {}, tables, {.system = check.system, .backend = check.backend}, range);
}

void check_numbers(const ServingCheck& check) {
  if (check.url.empty()) throw UsageError("--serving needs --url, the address of the engine");
  if (check.isl < 1 || check.osl < 2) throw UsageError("--isl must be at least 1 and --osl at least 2");
  if (check.requests_per_user < 1 || check.requests_per_user > kMostAtOnce)
    throw UsageError(fmt::format("--requests-per-user must be from 1 to {}", kMostAtOnce));
  if (check.path_ms < 0) throw UsageError("--path-ms cannot be negative");
  for (const int64_t users : check.users)
    if (users < 1 || users > kMostConnections)
      throw UsageError(fmt::format("--users {}: give 1 to {}", users, kMostConnections));
}

}  // namespace

void add_serving_check(CLI::App& verb, ServingCheck& check) {
  verb.add_option("--url", check.url, "--serving: address of the engine, which runs the model on one core");
  verb.add_option("--engine", check.engine, "--serving: llama_cpp or vllm")->capture_default_str();
  verb.add_option("--api", check.api, "--serving: as perfatlas load has it; default: the engine's");
  verb.add_option("--served-model", check.served_model, "--serving: the model's name at the endpoint");
  verb.add_option("--users", check.users, "--serving: users of each case")
      ->delimiter(',')
      ->capture_default_str();
  verb.add_option("--length-ratio", check.length_ratios,
                  "--serving: shortest over longest length, a case each")
      ->delimiter(',')
      ->capture_default_str();
  verb.add_option("--osl", check.osl, "--serving: output tokens")->capture_default_str();
  verb.add_option("--requests-per-user", check.requests_per_user, "--serving: length of a case")
      ->capture_default_str();
  verb.add_option("--launch", check.launch,
                  "--serving: how the engine was started, as settings of perfatlas simulate: max_running=8")
      ->delimiter(',');
  verb.add_option("--path-ms", check.path_ms, "--serving: time of a request outside the engine")
      ->capture_default_str();
  verb.add_option("--most-busy", check.most_busy,
                  "--serving: share of the processors in use that still counts as idle")
      ->capture_default_str();
}

int run_serving_check(const ServingCheck& check, const OpRegistry& ops) {
  check_numbers(check);
  TablePrices table = prices_of(check, ops);
  const std::string identity = table.prices.identity;
  std::vector<CheckedCase> cases = predicted_cases(check, question_of(check, std::move(table.prices)));
  (void)run_load(target_of(check), workload_of(check, 1, 1));  // warms the engine up
  if (!check.json) {
    fmt::print("{} on {}\n", identity, check.engine);
    for (const std::string& name : table.left_out)
      fmt::print("left out of the prediction: {}, not in the tables\n", name);
    fmt::print("{:>5} {:>7} {:>8} {:>11} {:>10} {:>8} {:>11} {:>10} {:>8}\n", "users", "lengths", "requests",
               "TTFT ms", "predicted", "error", "TPOT ms", "predicted", "error");
  }
  for (CheckedCase& c : cases) {
    measure(check, c);
    if (!check.json) print_case(c);
  }
  if (check.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const CheckedCase& c : cases) list.push_back(case_json(c));
    fmt::print("{}\n", list.dump(2));
  } else {
    print_medians(cases);
  }
  return kDone;
}

}  // namespace perfatlas
