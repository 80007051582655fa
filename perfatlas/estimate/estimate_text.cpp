// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/estimate/estimate_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"

namespace perfatlas::estimate {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);

/// Where one price comes from, in a word or two.
std::string source_text(const aic::Price& price) {
  std::string text(name_of(price.source));
  if (price.provenance >= aic::Provenance::xshape) text += fmt::format(" ({})", name_of(price.provenance));
  return text;
}

std::string memory_text(const Estimate& e) {
  std::string out = "\nmemory per GPU (GiB)\n";
  for (size_t i = 0; i < e.memory.size(); ++i) {
    const auto& [who, m] = e.memory[i];
    out += fmt::format(
        "  {:<8} {:.2f} of {:.2f}: weights {:.2f}, activations {:.2f}, KV cache {:.2f}, "
        "communication {:.2f}, other {:.2f}\n",
        who, m.total() / kGiB, e.capacity_bytes[i] / kGiB, m.weights / kGiB, m.activations / kGiB,
        m.kv_cache / kGiB, m.communication / kGiB, m.other / kGiB);
  }
  return out;
}

std::string spread_text(const Spread& spread) {
  std::string out = fmt::format(" (kernels ± {:.0f}%", 100 * spread.half_width);
  if (spread.unbounded > 0.0005) out += fmt::format(", {:.1f}% without interval", 100 * spread.unbounded);
  return out + ")";
}

std::string error_text(const OpPrice& line) {
  if (line.unbounded_ms > 0) return " ± unknown";
  if (line.price.latency_ms <= 0) return {};
  return line.error_ms > 0 ? fmt::format(" ± {:.0f}%", 100 * line.error_ms / line.price.latency_ms)
                           : " (its row)";
}

std::string breakdown_text(const Breakdown& step, const Detail& detail) {
  double total = 0;
  for (const OpPrice& line : step.ops) total += line.price.latency_ms;
  std::string out = fmt::format("\n{}: {:.3f} ms{}\n", step.name, total, spread_text(spread_of(step.ops)));
  for (const OpPrice& line : step.ops) {
    const double share = total > 0 ? 100 * line.price.latency_ms / total : 0;
    out += fmt::format("  {:<36} {:>12.4f} ms {:>5.1f}%", line.name, line.price.latency_ms, share);
    if (detail.energy)
      out +=
          line.price.energy_mj > 0 ? fmt::format(" {:>12.3f} mJ", line.price.energy_mj) : "   energy unknown";
    if (detail.source) out += "  " + source_text(line.price) + error_text(line);
    out += "\n";
  }
  return out;
}

std::string origin_text(const Origin& o) {
  std::string out = "origin of the time:";
  const auto add = [&](const char* what, double share) {
    if (share > 0.0005) out += fmt::format(" {:.1f}% {}", 100 * share, what);
  };
  add("measured", o.measured);
  add("formula", o.formula);
  add("transferred", o.transferred);
  add("speed of light", o.light);
  add("mixed", o.mixed);
  return out + "\n";
}

std::string power_text(const Figures& f) {
  if (f.power_w) return fmt::format("power          {:.0f} W per GPU\n", *f.power_w);
  return fmt::format("power          unknown (energy is measured for {:.0f}% of the time)\n",
                     100 * f.power_coverage);
}

}  // namespace

Detail detail_from_name(std::string_view name) {
  Detail d;
  if (name.empty() || name == "summary" || name == "none") return d;
  const bool all = name == "all";
  d.memory = all || name == "memory";
  d.time = all || name == "time";
  d.energy = all || name == "energy";
  d.source = all || name == "source";
  if (d.memory || d.time || d.energy || d.source) return d;
  throw UsageError(fmt::format(
      "--detail '{}' is unknown; known: none, summary, memory, time, energy, source and all", name));
}

std::string estimate_text(const Estimate& e, const Detail& detail) {
  const EstimateRequest& r = e.request;
  const Figures& f = e.figures;
  std::string out =
      fmt::format("{} on {} with {} {} ({}), isl {} osl {}", r.model, r.system, name_of(r.framework),
                  e.version, name_of(r.mode), r.workload.isl, r.workload.osl);
  if (r.workload.prefix > 0) out += fmt::format(" prefix {}", r.workload.prefix);
  const auto figure = [&](const char* name, double ms, const std::optional<Spread>& spread) {
    out += fmt::format("{:<14} {:.3f} ms{}\n", name, ms, spread && ms > 0 ? spread_text(*spread) : "");
  };
  out += "\n\n";
  figure("TTFT", f.ttft_ms, e.ttft_spread);
  figure("TPOT", f.tpot_ms, e.tpot_spread);
  out += fmt::format("request        {:.3f} ms\n", f.request_latency_ms);
  out += fmt::format("throughput     {:.2f} tokens/s, {:.2f} tokens/s/GPU, {:.3f} requests/s\n",
                     f.tokens_per_s, f.tokens_per_s_gpu, f.requests_per_s);
  out += fmt::format("per user       {:.2f} tokens/s\n", f.tokens_per_s_user);
  out += fmt::format("concurrency    {:g}\n", f.concurrency);
  for (const auto& [name, cell] : e.columns)
    if (name == "num_total_gpus") out += fmt::format("GPUs           {}\n", std::get<int64_t>(cell));
  for (size_t i = 0; i < e.memory.size(); ++i)
    out += fmt::format("memory         {:.2f} of {:.2f} GiB per GPU{}\n", e.memory[i].second.total() / kGiB,
                       e.capacity_bytes[i] / kGiB, e.memory.size() > 1 ? " (" + e.memory[i].first + ")" : "");
  if (detail.energy) out += power_text(f);
  out += origin_text(e.origin);
  for (const aic::MoeCommFallback& c : e.comm_fallbacks)
    out += fmt::format(
        "note: communication of {} experts' GPUs on {} nodes is that measured on {} GPUs of {} nodes\n",
        c.requested_ep, c.requested_nodes, c.measured_ep, c.measured_nodes);
  for (const std::string* warning : {&e.memory_warning, &e.ranks_warning, &e.context_warning})
    if (!warning->empty()) out += fmt::format("warning: {}\n", *warning);
  if (detail.memory) out += memory_text(e);
  if (detail.time || detail.energy || detail.source)
    for (const Breakdown& step : e.breakdown) out += breakdown_text(step, detail);
  return out;
}

}  // namespace perfatlas::estimate
