// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "perfatlas/estimate/estimate_text.h"

namespace perfatlas::estimate {
namespace {

using nlohmann::json;

constexpr double kGiB = double(int64_t(1) << 30);

json memory_json(const Memory& m, double capacity) {
  return {{"total", m.total() / kGiB},           {"weights", m.weights / kGiB},
          {"activations", m.activations / kGiB}, {"kvcache", m.kv_cache / kGiB},
          {"nccl", m.communication / kGiB},      {"others", m.other / kGiB},
          {"capacity", capacity / kGiB}};
}

json scheduling_json(const AggregatedResult& r, const Workload& workload, int64_t drafted) {
  return {{"num_mix_steps", r.mixed_steps},
          {"num_genonly_steps", r.decode_steps},
          {"mix_step_latency_ms", r.mixed.latency_ms},
          {"genonly_step_latency_ms", r.decode.latency_ms},
          {"mix_step_energy_wms", r.mixed.energy_mj},
          {"genonly_step_energy_wms", r.decode.energy_mj},
          {"decode_iterations", r.decode_iterations},
          {"mix_context_tokens", r.mixed_step.context_tokens},
          {"mix_decode_requests", r.mixed_step.decode_requests},
          {"mix_decode_query_tokens", r.mixed_step.decode_requests * (drafted + 1)},
          {"decode_tokens_per_iteration", workload.tokens_per_iteration()}};
}

}  // namespace

json cell_json(const Cell& cell) {
  if (const auto* integer = std::get_if<int64_t>(&cell)) return *integer;
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return nullptr;
}

json estimate_json(const Estimate& e) {
  json out = {{"mode", name_of(e.request.mode)},
              {"version", e.version},
              {"ttft", e.figures.ttft_ms},
              {"tpot", e.figures.tpot_ms},
              {"power_w", e.figures.power_w ? json(*e.figures.power_w) : json()}};
  for (const auto& [name, cell] : e.columns) out["columns"][name] = cell_json(cell);
  for (size_t i = 0; i < e.memory.size(); ++i)
    out["memory"][e.memory[i].first] = memory_json(e.memory[i].second, e.capacity_bytes[i]);
  for (const Breakdown& step : e.breakdown)
    for (const OpPrice& line : step.ops) {
      out["per_ops"][step.name][line.name] = line.price.latency_ms;
      out["per_ops_source"][step.name][line.name] = name_of(line.price.source);
      out["per_ops_error_ms"][step.name][line.name] = line.unbounded_ms > 0 ? json() : json(line.error_ms);
      if (line.price.energy_mj > 0) out["per_ops_energy_mj"][step.name][line.name] = line.price.energy_mj;
      if (line.price.provenance >= aic::Provenance::xshape)
        out["per_ops_provenance"][step.name][line.name] = name_of(line.price.provenance);
    }
  if (e.scheduling)
    out["scheduling"] = scheduling_json(*e.scheduling, e.request.workload, e.request.drafted_tokens);
  out["origin"] = {{"measured", e.origin.measured},
                   {"formula", e.origin.formula},
                   {"transferred", e.origin.transferred},
                   {"speed_of_light", e.origin.light},
                   {"mixed", e.origin.mixed}};
  for (const auto& [name, spread] : {std::pair{"ttft_spread", e.ttft_spread}, {"tpot_spread", e.tpot_spread}})
    if (spread) out[name] = {{"half_width", spread->half_width}, {"unbounded", spread->unbounded}};
  out["memory_warning"] = e.memory_warning.empty() ? json() : json(e.memory_warning);
  out["context_warning"] = e.context_warning.empty() ? json() : json(e.context_warning);
  out["ranks_warning"] = e.ranks_warning.empty() ? json() : json(e.ranks_warning);
  return out;
}

}  // namespace perfatlas::estimate
