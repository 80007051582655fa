// SPDX-License-Identifier: Apache-2.0
// perfatlas accuracy: estimates beside measured serving runs.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/estimate/silicon.h"
#include "perfatlas/pricing/constant_refit.h"
#include "perfatlas/pricing/silicon_simulation.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

struct AccuracyArguments {
  std::string silicon, peer, out, half = "all", systems_path, step_model = "aic", launch = "script",
                                  leave_out;
  bool failures = false, json = false;
};

std::vector<estimate::SiliconRun> read_runs(const AccuracyArguments& a, const SystemsRoot& root) {
  const auto sample = a.silicon.empty() ? root.silicon_sample() : std::optional(read_file(a.silicon));
  if (!sample) throw UsageError("the published tables have no silicon_sample.csv; give --silicon FILE");
  auto runs = estimate::parse_silicon_runs(*sample, a.silicon.empty() ? "silicon_sample.csv" : a.silicon);
  if (runs.empty())
    throw Error(fmt::format("{}: no runs; give a CSV with the columns of silicon_sample.csv",
                            a.silicon.empty() ? "silicon_sample.csv" : a.silicon));
  if (a.half == "all") return runs;
  if (a.half != "dev" && a.half != "judge")
    throw UsageError(fmt::format("--half '{}' is none of dev, judge and all", a.half));
  std::erase_if(runs,
                [&](const auto& run) { return estimate::is_development_run(run.id) != (a.half == "dev"); });
  return runs;
}

std::string accuracy_columns(const estimate::Accuracy& a) {
  const double share = a.runs > 0 ? 100.0 * double(a.answered) / double(a.runs) : 0;
  if (a.answered == 0)
    return fmt::format("{:>6} {:>6.1f}% {:>9} {:>9} {:>9} {:>9}", a.answered, share, "-", "-", "-", "-");
  return fmt::format("{:>6} {:>6.1f}% {:>8.1f}% {:>8.1f}% {:>8.1f}% {:>8.1f}%", a.answered, share,
                     a.ttft_mape, a.ttft_median, a.tpot_mape, a.tpot_median);
}

void print_groups(const std::vector<estimate::AccuracyGroup>& groups) {
  fmt::print("{:<8} {:<44} {:>6} {:>6} {:>7} {:>9} {:>9} {:>9} {:>9}\n", "by", "", "runs", "answ.", "cover",
             "TTFT mape", "median", "TPOT mape", "median");
  for (const estimate::AccuracyGroup& g : groups) {
    fmt::print("{:<8} {:<44} {:>6} {}\n", g.kind, g.name, g.own.runs, accuracy_columns(g.own));
    if (!g.peer) continue;
    fmt::print("{:<8} {:<44} {:>6} {}\n", "", "  peer", g.peer->runs, accuracy_columns(*g.peer));
    fmt::print("{:<8} {:<44} {:>6} {}\n", "", "  here, of the peer's", g.own_where_peer->runs,
               accuracy_columns(*g.own_where_peer));
  }
}

nlohmann::json accuracy_json(const estimate::Accuracy& a) {
  return {{"runs", a.runs},           {"answered", a.answered},
          {"ttft_mape", a.ttft_mape}, {"ttft_median", a.ttft_median},
          {"tpot_mape", a.tpot_mape}, {"tpot_median", a.tpot_median}};
}

void print_json(const std::vector<estimate::AccuracyGroup>& groups) {
  nlohmann::json list = nlohmann::json::array();
  for (const estimate::AccuracyGroup& g : groups) {
    nlohmann::json entry = {{"by", g.kind}, {"name", g.name}, {"own", accuracy_json(g.own)}};
    if (g.peer)
      entry["peer"] = accuracy_json(*g.peer), entry["own_where_peer"] = accuracy_json(*g.own_where_peer);
    list.push_back(std::move(entry));
  }
  fmt::print("{}\n", list.dump());
}

std::string known_or_dash(const std::optional<double>& value) {
  return value ? fmt::format("{:.2g}", *value) : "-";
}

/// What each group was predicted with: the constants chosen on the others.
void print_left_out(const std::vector<LeftOutGroup>& groups) {
  fmt::print("{:<36} {:>6} {:>8} {:>8} {:>9} {:>7} {:>7} {:>7} {:>7} {:>7}\n", "left out", "runs", "path ms",
             "ms/1000", "handover", "vllm", "async", "sglang", "trtllm", "stream");
  for (const LeftOutGroup& g : groups) {
    const RefitConstants& c = g.constants;
    fmt::print("{:<36} {:>6} {:>8.0f} {:>8.0f} {:>9.0f} {:>7} {:>7} {:>7} {:>7} {:>7}\n", g.name,
               g.runs.size(), c.request_path_ms, c.prompt_path_ms, c.hand_over_ms, known_or_dash(c.vllm_ms),
               known_or_dash(c.vllm_async_ms), known_or_dash(c.sglang_ms), known_or_dash(c.trtllm_ms),
               known_or_dash(c.stream_share));
  }
  fmt::print("\n");
}

LeaveOutResult left_out(const AccuracyArguments& a, estimate::Session& session,
                        const std::vector<estimate::SiliconRun>& runs) {
  if (a.step_model != "sim" || a.launch != "script")
    throw UsageError(
        "--leave-out refits the constants of the simulation; give --step-model sim and no --launch");
  const auto by = FieldCodec<LeaveOutBy>::parse(a.leave_out);
  if (!by) throw UsageError(fmt::format("--leave-out '{}' is none of model, engine and system", a.leave_out));
  return leave_groups_out(session, runs, LeaveOutBy(*by));
}

/// Failures by their text, the most frequent first.
void print_failures(const std::vector<estimate::Answer>& answers) {
  std::map<std::string, size_t> counts;
  for (const estimate::Answer& answer : answers)
    if (!answer.prediction) ++counts[answer.failure];
  std::vector<std::pair<size_t, std::string>> order;
  for (const auto& [text, count] : counts) order.emplace_back(count, text);
  std::sort(order.rbegin(), order.rend());
  fmt::print("\nruns without an answer\n");
  for (const auto& [count, text] : order) fmt::print("{:>6}  {}\n", count, text);
}

void write_predictions(const std::string& path, const std::vector<estimate::SiliconRun>& runs,
                       const std::vector<estimate::Answer>& answers) {
  std::string csv = "id,ttft_ms,tpot_ms,failure\n";
  for (size_t i = 0; i < runs.size(); ++i) {
    if (answers[i].prediction) {
      csv += fmt::format("{},{},{},\n", runs[i].id, answers[i].prediction->ttft_ms,
                         answers[i].prediction->tpot_ms);
      continue;
    }
    std::string reason = answers[i].failure;
    std::replace(reason.begin(), reason.end(), ',', ';');
    csv += fmt::format("{},,,{}\n", runs[i].id, reason);
  }
  replace_file(path, csv);
}

std::vector<estimate::Answer> answers_of(const AccuracyArguments& a, estimate::Session& session,
                                         const std::vector<estimate::SiliconRun>& runs) {
  if (a.launch != "script" && a.launch != "default")
    throw UsageError(fmt::format("--launch '{}' is none of script and default", a.launch));
  const bool known = a.launch == "script";
  if (a.step_model == "aic") return estimate::predict(session, runs);
  if (a.step_model == "sim") return simulate_silicon(session, runs, {QueueModel::simulation, known});
  if (a.step_model == "formula") return simulate_silicon(session, runs, {QueueModel::closed_form, known});
  throw UsageError(fmt::format("--step-model '{}' is none of aic, formula and sim", a.step_model));
}

int run_accuracy(const AccuracyArguments& a, const OpRegistry& ops) {
  const SystemsRoot root(systems_sources(a.systems_path), ops);
  const auto runs = read_runs(a, root);
  std::map<std::string, estimate::Prediction> peer;
  if (!a.peer.empty()) peer = estimate::parse_predictions(read_file(a.peer), a.peer);
  estimate::Session session(root, model_libraries());
  LeaveOutResult refit;
  if (!a.leave_out.empty()) refit = left_out(a, session, runs);
  const auto answers = a.leave_out.empty() ? answers_of(a, session, runs) : std::move(refit.answers);
  if (!a.out.empty()) write_predictions(a.out, runs, answers);
  const auto groups = estimate::accuracy_by_group(runs, answers, peer);
  if (!a.json && !refit.groups.empty()) print_left_out(refit.groups);
  if (a.json)
    print_json(groups);
  else
    print_groups(groups);
  if (a.failures && !a.json) print_failures(answers);
  return kDone;
}

}  // namespace

void add_accuracy(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("accuracy", "Estimates beside measured serving runs: coverage and errors");
  const auto a = std::make_shared<AccuracyArguments>();
  verb->add_option("--silicon", a->silicon,
                   "Measured runs; default: silicon_sample.csv of the published tables");
  verb->add_option(
      "--step-model", a->step_model,
      "aic: the formulas of aiconfigurator 0.12 (default); formula: a closed form; sim: the simulation");
  verb->add_option("--launch", a->launch,
                   "formula and sim: as the public scripts launched the engines (script), or as if nothing "
                   "were known (default)");
  verb->add_option("--leave-out", a->leave_out,
                   "sim: predict every model, engine or system with constants chosen on the others");
  verb->add_option("--peer", a->peer, "Another estimator's results: CSV with id, ttft and tpot");
  verb->add_option("--half", a->half, "dev, judge or all (default): halves by the SHA-1 of a run's id");
  verb->add_option("--out", a->out, "Write one line per run: id, TTFT, TPOT, or why there is none");
  add_systems_path_option(*verb, a->systems_path,
                          "Published tables: a wheel or a folder; default: PERFATLAS_SYSTEMS");
  verb->add_flag("--failures", a->failures, "List why runs have no answer");
  verb->add_flag("--json", a->json, "For machines");
  verb->footer(
      "Examples:\n"
      "  perfatlas accuracy --systems-path aiconfigurator_core-0.12.0-*.whl --half dev --failures\n"
      "  perfatlas accuracy --systems-path aiconfigurator_core-0.12.0-*.whl --half dev --step-model sim\n"
      "  perfatlas accuracy --systems-path aiconfigurator_core-0.12.0-*.whl --half dev --step-model sim "
      "--leave-out model\n"
      "Errors are relative to the measurement: mean (MAPE) and median over the answered runs.");
  verb->callback([a, &invocation] {
    invocation.action = [a, &invocation] { return run_accuracy(*a, invocation.ops); };
  });
}

}  // namespace perfatlas
