// SPDX-License-Identifier: Apache-2.0
// Parts of a configuration as text.
#include <fmt/format.h>

#include "perfatlas/search/search_text.h"

namespace perfatlas {
namespace {

constexpr double kGiB = double(int64_t(1) << 30);

std::string memory_line(const estimate::Memory& m, const estimate::Worker& worker) {
  return fmt::format(
      "weights {:.1f} + KV cache {:.1f} + activations {:.1f} + communication {:.1f} + other {:.1f} = "
      "{:.1f} of {:.1f} GiB",
      m.weights / kGiB, m.kv_cache / kGiB, m.activations / kGiB, m.communication / kGiB, m.other / kGiB,
      m.total() / kGiB, estimate::capacity_bytes(worker.system()) / kGiB);
}

estimate::StepPrice times(estimate::StepPrice price, double factor) {
  price *= factor;
  return price;
}

}  // namespace

estimate::Origin origin_of(const Found& found) {
  estimate::StepPrice all;
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice)) {
    all += times(choice->result.mixed, choice->result.mixed_steps);
    if (choice->result.decode_steps > 0) all += times(choice->result.decode, choice->result.decode_steps);
  } else {
    const auto& pools = std::get<DisaggregatedChoice>(found.choice);
    all += pools.prefill.result.context;
    all += pools.decode.result.generation;
  }
  return estimate::origin_of(all);
}

std::string origin_text(const estimate::Origin& o) {
  std::string text;
  for (const auto& [share, name] : {std::pair{o.measured, "measured"},
                                    {o.mixed, "measured and formula"},
                                    {o.formula, "formula"},
                                    {o.transferred, "transferred"},
                                    {o.light, "speed of light"}})
    if (share > 0.005) text += fmt::format("{}{:.0f} % {}", text.empty() ? "" : ", ", 100 * share, name);
  return text.empty() ? "unknown" : text;
}

std::string spread_text(const Found& found, const estimate::Workload& w) {
  estimate::Spread ttft, tpot;
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice)) {
    const estimate::AggregatedResult& r = choice->result;
    const estimate::OpPrices mixed = choice->worker->mixed_ops(r.mixed_step);
    estimate::OpPrices decode;
    if (r.decode_requests > 0)
      decode = choice->worker->generation_ops(r.decode_requests, w.isl + w.osl / 2 + 1);
    ttft = estimate::spread_of(mixed);
    tpot = estimate::token_spread(mixed, decode, r);
  } else {
    const auto& [prefill, decode] = std::get<DisaggregatedChoice>(found.choice);
    const auto ops = [&](const DisaggregatedChoice::Pool& pool, estimate::StaticMode mode) {
      return estimate::static_ops(*pool.worker, w, {.mode = mode, .batch = pool.batch});
    };
    ttft = estimate::spread_of(ops(prefill, estimate::StaticMode::context).context);
    tpot = estimate::spread_of(ops(decode, estimate::StaticMode::generation).generation);
  }
  return fmt::format("kernels ± {:.0f} % in TTFT, ± {:.0f} % in TPOT", 100 * ttft.half_width,
                     100 * tpot.half_width);
}

std::string memory_text(const Found& found) {
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice))
    return memory_line(choice->result.memory, *choice->worker);
  const auto& pools = std::get<DisaggregatedChoice>(found.choice);
  return fmt::format("prefill: {}; decode: {}",
                     memory_line(pools.prefill.result.memory, *pools.prefill.worker),
                     memory_line(pools.decode.result.memory, *pools.decode.worker));
}

std::string choice_text(const Found& found) {
  if (const auto* choice = std::get_if<AggregatedChoice>(&found.choice))
    return fmt::format("{}, batch {}, {} prompt tokens a step", found.parallel, choice->point.batch,
                       choice->point.context_tokens);
  const auto pool = [](const DisaggregatedChoice::Pool& p) {
    return fmt::format("{} x {}, batch {}", p.workers, p.worker->deployment().parallel.label(), p.batch);
  };
  const auto& pools = std::get<DisaggregatedChoice>(found.choice);
  return fmt::format("prefill {} -> decode {}", pool(pools.prefill), pool(pools.decode));
}

std::string why_chosen(const SearchResult& result) {
  if (!result.chosen) return "nothing was found";
  const Experiment& chosen = result.experiments[*result.chosen];
  const Found& best = chosen.found[chosen.picks.rows[0]];
  std::string text = fmt::format("{} gives the most tokens per second and GPU within the limits ({:.1f})",
                                 chosen.name, best.cluster_tokens_per_s_gpu);
  if (chosen.picks.limit_exceeded)
    text = fmt::format("no configuration meets the limits; {} comes nearest", chosen.name);
  for (size_t i = 0; i < result.experiments.size(); ++i) {
    const Experiment& other = result.experiments[i];
    if (i == *result.chosen || other.picks.rows.empty()) continue;
    const double theirs = other.found[other.picks.rows[0]].cluster_tokens_per_s_gpu;
    if (other.picks.limit_exceeded && !chosen.picks.limit_exceeded)
      text += fmt::format("; {} exceeds them", other.name);
    else
      text +=
          fmt::format("; {:.2f} times the best of {}", best.cluster_tokens_per_s_gpu / theirs, other.name);
  }
  for (size_t k = 1; k < chosen.picks.rows.size() && k < 2; ++k) {
    const Found& next = chosen.found[chosen.picks.rows[k]];
    text += fmt::format("; the next split, {}, gives {:.1f}", next.parallel, next.cluster_tokens_per_s_gpu);
  }
  return text + ".";
}

}  // namespace perfatlas
