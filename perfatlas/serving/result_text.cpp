// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/result_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

std::string summary_line(std::string_view name, const Summary& s) {
  return fmt::format("{:12} {:>12.2f} {:>12.2f} {:>12.2f} {:>12.2f}{}\n", name, s.mean, s.p50, s.p90, s.p99,
                     s.exact ? "" : "  (percentiles within 0.5 %)");
}

Json summary_json(const Summary& s) {
  if (s.count == 0) return nullptr;
  return {{"mean", s.mean}, {"p50", s.p50},     {"p90", s.p90},
          {"p99", s.p99},   {"count", s.count}, {"exact", s.exact}};
}

/// Up to 64 points of the number of waiting and running requests over time.
Json load_json(const LoadSeries& load) {
  constexpr size_t kPoints = 64;
  const auto& intervals = load.intervals();
  const size_t each = std::max<size_t>(1, (intervals.size() + kPoints - 1) / kPoints);
  Json waiting = Json::array(), running = Json::array();
  for (size_t i = 0; i < intervals.size(); i += each) {
    double waiting_ms = 0, running_ms = 0;
    const size_t end = std::min(i + each, intervals.size());
    for (size_t j = i; j < end; ++j) {
      waiting_ms += intervals[j].waiting_ms;
      running_ms += intervals[j].running_ms;
    }
    const double width_ms = load.width_ms() * double(end - i);
    waiting.push_back(waiting_ms / width_ms);
    running.push_back(running_ms / width_ms);
  }
  return {{"interval_ms", load.width_ms() * double(each)}, {"waiting", waiting}, {"running", running}};
}

}  // namespace

std::string prediction_text(const Prediction& p) {
  const SimulationResult& r = p.result;
  std::string text = fmt::format("{}\n", p.name);
  if (r.saturation)
    text += fmt::format(
        "saturated: {:.2f} requests/s offered, {:.2f} served, {:.2f}/s more than can be served; latencies "
        "grow with the length of the run and are not printed\n",
        r.saturation->offered_per_s, r.saturation->served_per_s, r.saturation->deficit_per_s());
  if (!r.stopped_early.empty())
    text += fmt::format("{}: {} requests finished, {} did not\n", r.stopped_early, r.requests, r.unfinished);
  if (!r.saturation && r.requests > 0) {
    text += fmt::format("{:12} {:>12} {:>12} {:>12} {:>12}\n", "ms", "mean", "p50", "p90", "p99");
    text += summary_line("TTFT", r.ttft_ms);
    if (r.tpot_ms.count > 0) text += summary_line("TPOT", r.tpot_ms);
    text += summary_line("end to end", r.latency_ms);
  }
  text += fmt::format("throughput   {:.2f} requests/s, {:.1f} output tokens/s\n", r.requests_per_s(),
                      r.output_tokens_per_s());
  text += fmt::format("load         busy {:.1f} %, running {:.2f}, waiting {:.2f} (most {})\n",
                      100 * r.busy_share, r.mean_running, r.mean_waiting, r.most_waiting);
  text += fmt::format("run          {} requests, {} steps ({} with prompts), {:.2f} s simulated\n",
                      r.requests, r.engine_steps, r.prompt_steps, r.duration_ms / 1000);
  text +=
      fmt::format("confidence   {}: {} (median error of such predictions: TTFT {:.0f} %, TPOT {:.0f} %)\n",
                  p.confidence.letter, p.confidence.why, 100 * p.confidence.ttft_median_error,
                  100 * p.confidence.tpot_median_error);
  text += fmt::format("prices       {}\nlaunch       given: {}; assumed: {}\n", p.prices, joined(p.given),
                      joined(p.assumed));
  return text;
}

std::string comparison_text(const std::vector<Prediction>& predictions) {
  size_t width = 13;
  for (const Prediction& p : predictions) width = std::max(width, p.name.size());
  std::string text = fmt::format("{:{}} {:>10} {:>10} {:>10} {:>10} {:>12} {:>5}\n", "configuration", width,
                                 "TTFT ms", "TTFT p90", "TPOT ms", "TPOT p90", "tokens/s", "class");
  for (const Prediction& p : predictions) {
    const SimulationResult& r = p.result;
    if (r.saturation)
      text += fmt::format("{:{}} saturated: {:.2f} requests/s more than can be served\n", p.name, width,
                          r.saturation->deficit_per_s());
    else
      text += fmt::format("{:{}} {:>10.2f} {:>10.2f} {:>10.3f} {:>10.3f} {:>12.1f} {:>5}\n", p.name, width,
                          r.ttft_ms.mean, r.ttft_ms.p90, r.tpot_ms.mean, r.tpot_ms.p90,
                          r.output_tokens_per_s(), p.confidence.letter);
  }
  return text;
}

std::string prediction_json(const Prediction& p) {
  const SimulationResult& r = p.result;
  Json json{{"name", p.name}};
  json["ttft_ms"] = r.saturation ? Json() : summary_json(r.ttft_ms);
  json["tpot_ms"] = r.saturation ? Json() : summary_json(r.tpot_ms);
  json["latency_ms"] = r.saturation ? Json() : summary_json(r.latency_ms);
  if (r.saturation)
    json["saturation"] = {{"offered_per_s", r.saturation->offered_per_s},
                          {"served_per_s", r.saturation->served_per_s},
                          {"deficit_per_s", r.saturation->deficit_per_s()}};
  else
    json["saturation"] = nullptr;
  json["stopped_early"] = r.stopped_early.empty() ? Json() : Json(r.stopped_early);
  json["requests"] = r.requests;
  json["unfinished"] = r.unfinished;
  json["requests_per_s"] = r.requests_per_s();
  json["output_tokens_per_s"] = r.output_tokens_per_s();
  json["duration_ms"] = r.duration_ms;
  json["engine_steps"] = r.engine_steps;
  json["prompt_steps"] = r.prompt_steps;
  json["busy_share"] = r.busy_share;
  json["mean_running"] = r.mean_running;
  json["mean_waiting"] = r.mean_waiting;
  json["most_waiting"] = r.most_waiting;
  json["kv_bound"] = r.kv_bound;
  json["confidence"] = {{"class", std::string(1, p.confidence.letter)},
                        {"why", std::string(p.confidence.why)},
                        {"ttft_median_error", p.confidence.ttft_median_error},
                        {"tpot_median_error", p.confidence.tpot_median_error}};
  json["prices"] = p.prices;
  json["given"] = p.given;
  json["assumed"] = p.assumed;
  json["load"] = load_json(r.load);
  return json.dump();
}

}  // namespace perfatlas
