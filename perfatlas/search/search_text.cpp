// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/search_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <map>

#include "perfatlas/search/text_plot.h"
#include "perfatlas/search/text_table.h"

namespace perfatlas {
namespace {

std::string two(double value) { return fmt::format("{:.2f}", value); }

std::string limit_text(const char* name, Statistic statistic, double ms) {
  if (statistic == Statistic::mean) return fmt::format("{} within {:.6g} ms", name, ms);
  return fmt::format("{} of {} within {:.6g} ms", name_of(statistic), name, ms);
}

std::string limits_text(const SearchRequest& r) {
  if (r.request_latency_ms) return fmt::format("request within {:.6g} ms", *r.request_latency_ms);
  return fmt::format("{}, {}", limit_text("TTFT", r.ttft_statistic, r.target.ttft_ms),
                     limit_text("TPOT", r.tpot_statistic, r.target.tpot_ms));
}

std::string question_text(const SearchRequest& r) {
  std::string text = fmt::format("{} on {} x {}", r.model, r.total_gpus, r.system);
  if (!r.decode_system.empty() && r.decode_system != r.system)
    text += fmt::format(" (decode on {})", r.decode_system);
  text += fmt::format(": isl {}, osl {}", r.workload.isl, r.workload.osl);
  if (r.workload.prefix > 0) text += fmt::format(", {} of the prompt cached", r.workload.prefix);
  return text + "; " + limits_text(r) + "\n";
}

/// Of the simulation, a line of its own; empty without one.
std::string percentiles_text(const Found& f) {
  if (!f.simulated) return {};
  const Summary &ttft = f.simulated->ttft_ms, &tpot = f.simulated->tpot_ms;
  return fmt::format(
      "  simulated: TTFT p50 {:.2f}, p90 {:.2f}, p99 {:.2f} ms; TPOT p50 {:.2f}, p90 {:.2f}, p99 {:.2f} ms\n",
      ttft.p50, ttft.p90, ttft.p99, tpot.p50, tpot.p90, tpot.p99);
}

const Found& first_pick(const Experiment& e) { return e.found[e.picks.rows[0]]; }

std::string chosen_text(const SearchResult& result) {
  const Experiment& e = result.experiments[*result.chosen];
  const Found& f = first_pick(e);
  const int replicas = result.request.total_gpus / f.replica_gpus;
  return fmt::format(
      "Chosen: {} on {} {}, {} replica{} of {} GPUs\n"
      "  {}\n"
      "  TTFT {} ms, TPOT {} ms, request {} ms\n"
      "{}"
      "  {} tokens/s/gpu ({} tokens/s in all), {} tokens/s/user, {} requests/s, {:.0f} in flight\n"
      "  memory  {}\n"
      "  origin  {}; {}\n"
      "  why     {}\n",
      e.aggregated ? "aggregated" : "disaggregated", name_of(e.framework), e.version, replicas,
      replicas == 1 ? "" : "s", f.replica_gpus, choice_text(f), two(f.ttft_ms), two(f.tpot_ms),
      two(f.request_latency_ms), percentiles_text(f), two(f.cluster_tokens_per_s_gpu),
      two(f.cluster_tokens_per_s_gpu * result.request.total_gpus), two(f.tokens_per_s_user),
      two(f.requests_per_s * replicas), f.concurrency * replicas, memory_text(f), origin_text(origin_of(f)),
      spread_text(f, result.request.workload), why_chosen(result));
}

std::string plot_text(const SearchResult& result) {
  const bool whole = result.request.request_latency_ms.has_value();
  TextPlot plot{.title = "Pareto frontier",
                .x_label = whole ? "request latency, ms" : "tokens/s/user",
                .y_label = "tokens/s/gpu of the cluster"};
  constexpr char kMarks[] = {'o', '+', '*', '#', '%', '&'};
  const auto x = [&](const Found& f) { return whole ? f.request_latency_ms : f.tokens_per_s_user; };
  for (size_t i = 0; i < result.experiments.size(); ++i) {
    const Experiment& e = result.experiments[i];
    PlotSeries series{e.name, kMarks[i % std::size(kMarks)], {}};
    for (const size_t k : e.frontier)
      series.points.emplace_back(x(e.found[k]), e.found[k].cluster_tokens_per_s_gpu);
    plot.series.push_back(std::move(series));
  }
  if (result.chosen) {
    const Found& f = first_pick(result.experiments[*result.chosen]);
    plot.series.push_back({"chosen", 'X', {{x(f), f.cluster_tokens_per_s_gpu}}});
  }
  return text_plot(plot);
}

std::vector<std::string> pick_cells(const SearchRequest& request, const Experiment& e, const Found& f,
                                    size_t rank) {
  const int replicas = request.total_gpus / f.replica_gpus;
  std::vector<std::string> cells{
      std::to_string(rank),
      std::string(name_of(e.framework)),
      two(f.cluster_tokens_per_s_gpu),
      two(f.tokens_per_s_user),
      two(f.requests_per_s * replicas),
      two(f.ttft_ms),
      two(f.tpot_ms),
      two(f.request_latency_ms),
      fmt::format("{:.0f} (={:.0f}x{})", f.concurrency * replicas, f.concurrency, replicas),
      std::to_string(replicas),
      std::to_string(f.replica_gpus)};
  if (const auto* choice = std::get_if<AggregatedChoice>(&f.choice)) {
    cells.push_back(f.parallel);
    cells.push_back(std::to_string(choice->point.batch));
    return cells;
  }
  const auto& pools = std::get<DisaggregatedChoice>(f.choice);
  for (const auto* pool : {&pools.prefill, &pools.decode}) {
    cells.push_back(std::to_string(pool->workers));
    cells.push_back(pool->worker->deployment().parallel.label());
    cells.push_back(std::to_string(pool->batch));
  }
  return cells;
}

std::string picks_text(const SearchRequest& request, const Experiment& e) {
  if (e.picks.rows.empty())
    return fmt::format("\n{}: nothing found. {}\n", e.name,
                       e.nothing.empty() ? "No configuration meets the limits." : e.nothing);
  TextTable table{{"rank", "backend", "tokens/s/gpu", "tokens/s/user", "req/s", "TTFT", "TPOT", "request",
                   "in flight", "replicas", "gpus/replica"},
                  {}};
  for (const char* column : e.aggregated ? std::vector<const char*>{"parallel", "bs"}
                                         : std::vector<const char*>{"(p)workers", "(p)parallel", "(p)bs",
                                                                    "(d)workers", "(d)parallel", "(d)bs"})
    table.header.emplace_back(column);
  for (size_t k = 0; k < e.picks.rows.size(); ++k)
    table.rows.push_back(pick_cells(request, e, e.found[e.picks.rows[k]], k + 1));
  return fmt::format("\n{} ({} {}){}:\n", e.name, name_of(e.framework), e.version,
                     e.picks.limit_exceeded ? ": nothing meets the limits, the nearest" : "") +
         text_table(table);
}

nlohmann::ordered_json row_json(const estimate::Row& row) {
  nlohmann::ordered_json json;
  for (const auto& [name, cell] : row)
    std::visit(
        [&, &column = name](const auto& value) {
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>)
            json[column] = nullptr;
          else
            json[column] = value;
        },
        cell);
  return json;
}

/// How many splits failed for each kind of reason, with an example.
std::string refusals_text(const SearchTally& tally) {
  std::map<Refusal::Kind, std::pair<size_t, const Refusal*>> kinds;
  for (const Refusal& refusal : tally.refusals) {
    auto& [count, example] = kinds[refusal.kind];
    if (count++ == 0) example = &refusal;
  }
  std::string text;
  for (const auto& [kind, entry] : kinds) {
    const char* name = kind == Refusal::Kind::cannot_be_split      ? "cannot be split so"
                       : kind == Refusal::Kind::weights_do_not_fit ? "weights do not fit"
                       : kind == Refusal::Kind::cache_too_small    ? "KV cache too small"
                                                                   : "no data";
    text += fmt::format("    {}: {} split{}, e.g. {}: {}\n", name, entry.first, entry.first == 1 ? "" : "s",
                        entry.second->parallel, entry.second->reason);
  }
  return text;
}

}  // namespace

std::string search_text(const SearchResult& result) {
  std::string text = question_text(result.request);
  if (result.chosen)
    text += fmt::format("\n{}\n{}", chosen_text(result), plot_text(result));
  else
    text += "\nNothing was found; `perfatlas explain` with the same options says more.\n";
  for (const Experiment& e : result.experiments) text += picks_text(result.request, e);
  size_t points = 0;
  for (const Experiment& e : result.experiments) points += e.tally.points;
  return text +
         fmt::format("\n{} points in {:.2f} s; times in ms, TPOT without the first token (docs/metrics.md)\n",
                     points, result.seconds);
}

std::string recommend_text(const RecommendResult& result, const LoadTarget& load) {
  const SearchRequest& request = result.search.request;
  std::string text =
      fmt::format("{} on {}: {}; {}\n\n", request.model, request.system,
                  load.requests_per_s ? fmt::format("{:.6g} requests/s", *load.requests_per_s)
                                      : fmt::format("{:.6g} requests in flight", *load.concurrency),
                  limits_text(request));
  if (result.matches.empty()) {
    text += "Nothing within the limits was found.\n";
    for (const Experiment& e : result.search.experiments) text += picks_text(request, e);
    return text;
  }
  TextTable table{{"rank", "GPUs", "replicas", "gpus/replica", "backend", "mode", "TTFT", "TPOT",
                   "tokens/s/gpu", "configuration"},
                  {}};
  for (size_t k = 0; k < result.matches.size(); ++k) {
    const LoadMatch& match = result.matches[k];
    const Experiment& e = result.search.experiments[result.experiments[k]];
    const Found& f = e.found[match.row];
    table.rows.push_back({std::to_string(k + 1), std::to_string(match.gpus), std::to_string(match.replicas),
                          std::to_string(f.replica_gpus), std::string(name_of(e.framework)),
                          e.aggregated ? "agg" : "disagg", two(f.ttft_ms), two(f.tpot_ms),
                          two(f.tokens_per_s_gpu), choice_text(f)});
  }
  return text + text_table(table);
}

std::string recommend_json(const RecommendResult& result) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t k = 0; k < result.matches.size(); ++k) {
    const LoadMatch& match = result.matches[k];
    const Experiment& e = result.search.experiments[result.experiments[k]];
    nlohmann::ordered_json row = row_json(table_row(result.search.request, e.found[match.row]));
    row["replicas_needed"] = match.replicas;
    row["total_gpus_needed"] = match.gpus;
    row["load_served_pct"] = 100 * match.served_share;
    json.push_back(std::move(row));
  }
  return json.dump(2) + "\n";
}

std::string explain_text(const SearchResult& result) {
  std::string text = question_text(result.request);
  if (result.chosen) text += fmt::format("\n{}", chosen_text(result));
  for (const Experiment& e : result.experiments) {
    const SearchTally& t = e.tally;
    text += fmt::format(
        "\n{} ({} {}): {} splits, {} points priced, {} beyond memory, {} without data, {} kept\n", e.name,
        name_of(e.framework), e.version, t.splits, t.points, t.beyond_memory, t.without_data, e.found.size());
    if (t.least_ttft_ms) text += fmt::format("    least TTFT of what fits: {} ms\n", two(*t.least_ttft_ms));
    if (t.least_tpot_ms) text += fmt::format("    least TPOT of what fits: {} ms\n", two(*t.least_tpot_ms));
    text += refusals_text(t);
    if (!e.nothing.empty()) text += fmt::format("    nothing found: {}\n", e.nothing);
    if (e.picks.limit_exceeded && !e.picks.rows.empty()) {
      const Found& nearest = first_pick(e);
      text += fmt::format("    nearest feasible: {} with TTFT {} ms, TPOT {} ms\n", choice_text(nearest),
                          two(nearest.ttft_ms), two(nearest.tpot_ms));
    }
  }
  return text;
}

std::string search_json(const SearchResult& result) {
  nlohmann::ordered_json json{{"model", result.request.model},
                              {"system", result.request.system},
                              {"total_gpus", result.request.total_gpus},
                              {"seconds", result.seconds}};
  json["chosen"] = nullptr;
  if (result.chosen) json["chosen"] = result.experiments[*result.chosen].name;
  json["why"] = why_chosen(result);
  json["experiments"] = nlohmann::ordered_json::array();
  for (const Experiment& e : result.experiments) {
    nlohmann::ordered_json one{{"name", e.name},
                               {"backend", name_of(e.framework)},
                               {"version", e.version},
                               {"limit_exceeded", e.picks.limit_exceeded},
                               {"nothing", e.nothing},
                               {"picks", nlohmann::ordered_json::array()},
                               {"frontier", nlohmann::ordered_json::array()}};
    for (const size_t i : e.picks.rows) {
      auto row = row_json(table_row(result.request, e.found[i]));
      row["origin"] = origin_text(origin_of(e.found[i]));
      one["picks"].push_back(std::move(row));
    }
    for (const size_t i : e.frontier)
      one["frontier"].push_back(row_json(table_row(result.request, e.found[i])));
    json["experiments"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace perfatlas
