// SPDX-License-Identifier: Apache-2.0
// perfatlas simulate: what users of a serving system would see, request by request.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/pricing/request_pricer.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/result_text.h"
#include "perfatlas/serving/settings.h"
#include "perfatlas/serving/timeline.h"
#include "perfatlas/serving/trace_file.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

/// Where prices come from when no file has them: a model on a published system.
struct ModelFlags {
  std::string model, system, version, systems_path, database_mode = "SILICON";
  ParallelFlags parallel;
  QuantFlags quant;
};

struct SimulateArguments {
  ModelFlags from;
  std::map<std::string, std::string, std::less<>> settings;  // by Setting::name; empty: not given
  std::string prices, decode_prices, write_prices, trace, timeline;
  std::vector<std::string> compare;
  double limit_s = 600;
  bool constants = false, json = false;
};

/// Price tables by path, each file read once.
class PriceFiles {
 public:
  std::shared_ptr<const PriceTables> read(const std::string& path) {
    std::shared_ptr<const PriceTables>& prices = files_[path];
    if (!prices) prices = std::make_shared<PriceTables>(parse_price_tables(read_file(path), path));
    return prices;
  }

 private:
  std::map<std::string, std::shared_ptr<const PriceTables>> files_;
};

/// Prices and KV capacity of a model on a published system. The engine is the framework whose tables are read.
void price_from_tables(const ModelFlags& from, const OpRegistry& ops, ServingQuestion& question) {
  if (question.engine == ServingEngine::llama_cpp)
    throw UsageError("published tables have no llama_cpp; give --prices FILE");
  const auto mode = aic::mode_from_name(from.database_mode);
  if (!mode || *mode == aic::Mode::sol_full)
    throw UsageError(fmt::format("--database-mode '{}' is unknown; known: SILICON, HYBRID, EMPIRICAL and SOL",
                                 from.database_mode));
  if (from.system.empty()) throw UsageError("--model needs --system: h200_sxm, b200_sxm, ...");
  const SystemsRoot root(systems_sources(from.systems_path), ops);
  estimate::Session session(root, model_libraries());
  estimate::EstimateRequest request;
  request.model = from.model;
  request.system = from.system;
  request.version = from.version;
  request.framework = estimate::framework_from_name(name_of(question.engine));
  request.quant = from.quant.choice();
  request.view.mode = *mode;
  request.worker.parallel = from.parallel.widths();
  request.prefill = request.decode = request.worker;
  if (question.disaggregated) {
    request.mode = estimate::ServingMode::disaggregated;
    question.disaggregated->prefill_attention_dp = request.worker.parallel.dp;
    question.disaggregated->decode_attention_dp = request.worker.parallel.dp;
  }
  RequestPricer(session).price(request, false, question);
}

ServingQuestion base_question(const SimulateArguments& a, PriceFiles& files, const OpRegistry& ops) {
  if (a.prices.empty() == a.from.model.empty())
    throw UsageError("say what a step costs, in one of two ways: --prices FILE, or --model and --system");
  ServingQuestion question;
  question.workload.input.ratio = question.workload.output.ratio = 0.8;
  question.workload.input.longest = question.workload.output.longest = 1024;
  const auto given = [&](std::string_view name) { return !a.settings.find(name)->second.empty(); };
  if (int(given("users")) + int(given("rate")) + int(!a.trace.empty()) != 1)
    throw UsageError("say how requests come, in one of three ways: --users N, --rate R or --trace FILE");
  if (a.trace.empty() && !(given("isl") && given("osl")))
    throw UsageError("say how long requests are: --isl and --osl, in tokens");
  for (const Setting& setting : serving_settings())  // rate before requests: the list is in a good order
    if (given(setting.name)) apply_setting(question, setting.name, a.settings.find(setting.name)->second);
  if (a.prices.empty())
    price_from_tables(a.from, ops, question);
  else
    question.prices = files.read(a.prices);
  if (!a.write_prices.empty()) replace_file(a.write_prices, price_tables_json(*question.prices));
  if (!a.decode_prices.empty()) question.decode_prices = files.read(a.decode_prices);
  return question;
}

/// The base case with "engine=sglang,token_budget=16384" over it.
ServingQuestion compared(ServingQuestion question, const std::string& changes, PriceFiles& files) {
  question.name = changes;
  for (const std::string_view change : split(changes, ',')) {
    const size_t equals = change.find('=');
    if (equals == std::string_view::npos)
      throw UsageError(
          fmt::format("--compare '{}': give name=value pairs with commas between them", changes));
    const std::string_view name = trim(change.substr(0, equals)), value = trim(change.substr(equals + 1));
    if (name == "prices")
      question.prices = files.read(std::string(value));
    else if (name == "decode_prices")
      question.decode_prices = files.read(std::string(value));
    else
      apply_setting(question, name, value);
  }
  return question;
}

void print_constants() {
  for (const ServingConstant& c : kServingConstants)
    fmt::print("{:26} {:>6} {}\n    {}\n    evidence: {}; refits from {} to {}\n", c.name, c.value, c.unit,
               c.meaning, c.evidence, c.low, c.high);
}

Prediction run_one(ServingQuestion question, const SimulateArguments& a, SimulationObserver* observer) {
  if (!a.trace.empty())
    question.workload.arrivals =
        open_trace(a.trace, longest_request(question));  // each case reads it from the front
  check_context(question);
  return predict(question, {.most_wall_s = a.limit_s}, observer);
}

int run_simulate(const SimulateArguments& a, const OpRegistry& ops) {
  if (a.constants) {
    print_constants();
    return kDone;
  }
  PriceFiles files;
  const ServingQuestion base = base_question(a, files, ops);
  std::vector<ServingQuestion> questions{base};
  for (const std::string& changes : a.compare) questions.push_back(compared(base, changes, files));
  std::optional<Timeline> timeline;
  if (!a.timeline.empty()) timeline.emplace(a.timeline);
  std::vector<Prediction> predictions;
  for (const ServingQuestion& question : questions)
    predictions.push_back(run_one(question, a, predictions.empty() && timeline ? &*timeline : nullptr));
  if (timeline) timeline->close();
  if (a.json)
    for (const Prediction& prediction : predictions) fmt::print("{}\n", prediction_json(prediction));
  else if (predictions.size() > 1)
    fmt::print("{}", comparison_text(predictions));
  else
    fmt::print("{}", prediction_text(predictions.front()));
  if (timeline && timeline->left_out() > 0 && !a.json)
    fmt::print("{} further steps are not in the timeline\n", timeline->left_out());
  const bool whole = std::all_of(predictions.begin(), predictions.end(),
                                 [](const Prediction& p) { return p.result.stopped_early.empty(); });
  return whole ? kDone : kFailed;
}

void add_model_flags(CLI::App& verb, SimulateArguments& a) {
  verb.add_option("--model,--model-path", a.from.model, "Without --prices: id or folder with a config.json");
  verb.add_option("--system", a.from.system, "Its GPU: h200_sxm, b200_sxm, ...");
  verb.add_option("--backend-version", a.from.version,
                  "Version of the engine's tables; default: the current one");
  add_systems_path_option(verb, a.from.systems_path,
                          "Published tables: a wheel or a folder; default: PERFATLAS_SYSTEMS");
  verb.add_option("--database-mode", a.from.database_mode, "SILICON (default), HYBRID, EMPIRICAL or SOL");
  a.from.parallel.add_to(verb, "", "");
  a.from.quant.add_to(verb);
  verb.add_option("--write-prices", a.write_prices, "Write the price tables to a file");
}

}  // namespace

void add_simulate(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("simulate", "Simulate a serving system: TTFT, TPOT and queues under load");
  const auto a = std::make_shared<SimulateArguments>();
  verb->add_option("--prices", a->prices, "Price tables of the engine's steps (of the prefill workers)");
  verb->add_option("--decode-prices", a->decode_prices,
                   "Price tables of the decode workers; default: --prices");
  add_model_flags(*verb, *a);
  verb->add_option("--trace", a->trace,
                   "Requests of a recorded trace: Mooncake JSON lines, or CSV with timestamp (ms), "
                   "input_length, output_length");
  for (const Setting& setting : serving_settings()) {
    std::string flag = "--" + std::string(setting.name);
    std::replace(flag.begin(), flag.end(), '_', '-');
    verb->add_option(flag, a->settings[std::string(setting.name)], std::string(setting.help));
  }
  verb->add_option("--compare", a->compare,
                   "Another case on the same arrivals: \"engine=sglang,token_budget=16384\"");
  verb->add_option("--timeline", a->timeline,
                   "Write the steps of the first case as a Chrome trace (opens in Perfetto)");
  verb->add_option("--limit", a->limit_s, "Stop a simulation after so many seconds")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 1e6));
  verb->add_flag("--constants", a->constants, "Print the constants of the prediction with their evidence");
  verb->add_flag("--json", a->json, "For machines: one line per case");
  verb->footer(
      "Examples:\n"
      "  perfatlas simulate --prices qwen3.json --engine vllm --users 32 --isl 1024 --osl 1024\n"
      "  perfatlas simulate --model Qwen/Qwen3-32B --system h200_sxm --tp 4 --engine sglang --users 64 \\\n"
      "      --isl 4000 --osl 1000 --systems-path aiconfigurator_core-0.12.0-*.whl --write-prices "
      "qwen3.json\n"
      "  perfatlas simulate --prices qwen3.json --engine sglang --rate 4 --requests 5000 --isl 4000 --osl "
      "500\n"
      "  perfatlas simulate --prices qwen3.json --trace mooncake.jsonl --compare token_budget=2048 --json\n"
      "  perfatlas simulate --prices p.json --decode-prices d.json --prefill-workers 2 --decode-workers 3 "
      "\\\n"
      "      --users 64 --isl 4000 --osl 1000 --timeline run.json\n"
      "Exit code 1 when a simulation stopped early.");
  verb->callback([&invocation, a] {
    invocation.action = [&invocation, a] { return run_simulate(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
