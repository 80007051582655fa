// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/page/page.h"
#include "perfatlas/search/result_files.h"
#include "perfatlas/search/search_text.h"

namespace perfatlas {

std::span<const EmbeddedFile> embedded_search();  // cmake/embed_files.cmake

namespace {

using Json = nlohmann::ordered_json;

Json fact(const char* name, const std::string& value) { return Json::array({name, value}); }

Json facts_of(const Experiment& e, const Found& f) {
  return Json::array({fact("mode", e.name + ", " + e.version), fact("configuration", choice_text(f)),
                      fact("tokens/s/gpu of the cluster", fmt::format("{:.2f}", f.cluster_tokens_per_s_gpu)),
                      fact("tokens/s/user", fmt::format("{:.2f}", f.tokens_per_s_user)),
                      fact("TTFT, TPOT", fmt::format("{:.2f} ms, {:.2f} ms", f.ttft_ms, f.tpot_ms)),
                      fact("GPUs of a replica", std::to_string(f.replica_gpus))});
}

Json series_json(const SearchResult& result) {
  Json all = Json::array();
  for (size_t i = 0; i < result.experiments.size(); ++i) {
    const Experiment& e = result.experiments[i];
    Json points = Json::array();
    const auto add = [&](size_t k, bool chosen) {
      const Found& f = e.found[k];
      points.push_back({{"x", result.request.request_latency_ms ? f.request_latency_ms : f.tokens_per_s_user},
                        {"y", f.cluster_tokens_per_s_gpu},
                        {"chosen", chosen},
                        {"facts", facts_of(e, f)}});
    };
    const bool has_chosen = result.chosen == i;
    const size_t chosen = has_chosen ? e.picks.rows[0] : 0;
    for (const size_t k : e.frontier)
      if (!has_chosen || k != chosen) add(k, false);
    if (has_chosen) add(chosen, true);
    all.push_back({{"name", e.name}, {"points", std::move(points)}});
  }
  return all;
}

Json table_json(const SearchResult& result) {
  Json rows = Json::array();
  for (const Experiment& e : result.experiments)
    for (const size_t k : e.picks.rows) {
      const Found& f = e.found[k];
      rows.push_back(
          Json::array({e.name, f.cluster_tokens_per_s_gpu, f.tokens_per_s_user, f.ttft_ms, f.tpot_ms,
                       f.request_latency_ms, f.replica_gpus, choice_text(f), origin_text(origin_of(f))}));
    }
  return {{"columns",
           {"mode", "tokens/s/gpu", "tokens/s/user", "TTFT ms", "TPOT ms", "request ms", "gpus/replica",
            "configuration", "origin"}},
          {"rows", std::move(rows)}};
}

void add_chosen(Json& json, const SearchResult& result) {
  const Experiment& e = result.experiments[*result.chosen];
  const Found& f = e.found[e.picks.rows[0]];
  json["tiles"] = Json::array({fact("tokens/s/gpu", fmt::format("{:.1f}", f.cluster_tokens_per_s_gpu)),
                               fact("tokens/s/user", fmt::format("{:.1f}", f.tokens_per_s_user)),
                               fact("TTFT", fmt::format("{:.1f} ms", f.ttft_ms)),
                               fact("TPOT", fmt::format("{:.2f} ms", f.tpot_ms)),
                               fact("replicas", std::to_string(result.request.total_gpus / f.replica_gpus))});
  json["chosen_facts"] = facts_of(e, f);
  json["origin"] = Json::array({fact("origin of the latency", origin_text(origin_of(f))),
                                fact("how sure", spread_text(f, result.request.workload)),
                                fact("memory of a GPU", memory_text(f))});
  json["launch"] = launch_text(result.request, f);
}

}  // namespace

std::string search_html(const SearchResult& result) {
  const SearchRequest& r = result.request;
  Json json{{"subtitle",
             fmt::format("{} x {}, isl {}, osl {}", r.total_gpus, r.system, r.workload.isl, r.workload.osl)},
            {"tiles", Json::array()},
            {"notes", Json::array()},
            {"x_title", r.request_latency_ms ? "request latency, ms" : "tokens/s/user"},
            {"limit", r.request_latency_ms ? *r.request_latency_ms : 1000 / r.target.tpot_ms},
            {"series", series_json(result)},
            {"reason", why_chosen(result)},
            {"chosen_facts", Json::array()},
            {"origin", Json::array()},
            {"table", table_json(result)},
            {"launch", ""}};
  for (const Experiment& e : result.experiments) {
    if (!e.nothing.empty()) json["notes"].push_back(e.name + ": nothing found. " + e.nothing);
    if (e.picks.limit_exceeded)
      json["notes"].push_back(e.name + ": nothing meets the limits; the nearest are shown.");
  }
  if (result.chosen) add_chosen(json, result);
  return html_page({.title = r.model,
                    .json = script_safe(json.dump(-1, ' ', false, Json::error_handler_t::replace)),
                    .files = embedded_search()});
}

}  // namespace perfatlas
