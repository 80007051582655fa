// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/silicon_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "perfatlas/base/text.h"
#include "perfatlas/serving/constants.h"

namespace perfatlas {
namespace {

using estimate::Framework;
using estimate::Parallel;
using estimate::SiliconRun;

/// What the text columns of a row say.
struct RowFacts {
  bool gap_analysis = false;  // made by another tool: constant lengths, launch unknown
  std::optional<int64_t> concurrency;
  std::string measured;  // "2026-04-17", may be empty
};

std::string after(const std::string& text, const std::string& word) {
  const size_t at = text.find(word);
  if (at == std::string::npos) return {};
  const size_t begin = at + word.size();
  return text.substr(begin, text.find(';', begin) - begin);
}

RowFacts facts_of(const SiliconRun& run) {
  RowFacts facts;
  facts.gap_analysis = run.source.find("aic-auto-gap-analysis") != std::string::npos;
  facts.concurrency = parse_integer(trim(after(run.source, "silicon_concurrency=")));
  facts.measured = after(run.source, "measured=").substr(0, 10);
  return facts;
}

bool mentions(const std::string& text, std::string_view word) { return text.find(word) != std::string::npos; }
bool is_blackwell(const std::string& system) { return system.starts_with("b") || system.starts_with("gb"); }

/// Zero in a column means: not said.
void normalise(Parallel& parallel) {
  parallel.dp = std::max<int64_t>(1, parallel.dp);
  if (parallel.moe_tp.value_or(0) < 1) parallel.moe_tp.reset();
  if (parallel.moe_ep.value_or(0) < 1) parallel.moe_ep.reset();
}

/// tp and ep of the id ("_tp8_0_ep8"), else what the columns mean when the id does not say.
std::pair<int64_t, int64_t> widths_in_id(const SiliconRun& run, const Parallel& p) {
  static const std::regex pattern("_tp([0-9]+)(_0)?_ep([0-9]+)");
  std::smatch match;
  if (std::regex_search(run.id, match, pattern)) return {std::stoll(match[1]), std::stoll(match[3])};
  if (run.request.framework == Framework::vllm && p.dp > 1) return {p.dp, p.dp};
  return {p.expert_ep(), p.expert_ep()};
}

/// Some rows store tp * ep as tp (a node of TP8/EP8 appears as 64 ranks). True when the layout was put right.
bool repair_layout(const SiliconRun& run, Parallel& p) {
  const int64_t ep = p.expert_ep(), moe_tp = p.expert_tp();
  if (ep <= 1 || moe_tp * ep != p.tp * p.dp || (moe_tp != 1 && moe_tp != ep)) return false;
  const auto [t, e] = widths_in_id(run, p);
  if (t != e || t <= 1 || t * e != p.tp * p.dp) return false;
  const bool over_dp = p.dp > 1 && run.request.framework != Framework::vllm;
  p.tp = over_dp ? 1 : t;
  p.dp = over_dp ? t : 1;
  p.moe_tp = 1;
  p.moe_ep = e;
  return true;
}

/// The label of a row names a family of types, not the checkpoint. On Hopper the checkpoint's own types are priced.
void repair_types(const SiliconRun& run, const RowFacts& facts, estimate::EstimateRequest& request) {
  const std::string& model = request.model;
  const bool blackwell = is_blackwell(request.system);
  const bool gpt_oss = mentions(model, "gpt-oss");
  if (!blackwell &&
      (gpt_oss || mentions(model, "Kimi") || mentions(model, "DeepSeek") || mentions(model, "MiniMax"))) {
    request.quant.gemm.reset();
    request.quant.moe.reset();
  }
  if (facts.gap_analysis) return;
  if (mentions(model, "Llama-3.1-70B") ||
      (gpt_oss && (blackwell || run.request.framework == Framework::trtllm)))
    request.quant.kv = aic::QuantMode::fp8;
}

LaunchOptions vllm_launch(const SiliconRun& run, const RowFacts& facts, int64_t users) {
  const std::string& model = run.request.model;
  const bool late_minimax =
      mentions(model, "MiniMax") && run.request.system == "h200_sxm" && facts.measured >= "2026-04";
  return {.token_budget = late_minimax && !facts.gap_analysis ? (users <= 32 ? 16384 : 32768) : 8192,
          .max_running = 1024,
          .async_scheduling =
              !facts.gap_analysis && (mentions(model, "Llama-3.1-70B") || mentions(model, "gpt-oss"))};
}

LaunchOptions sglang_launch(const SiliconRun& run, const RowFacts& facts, int64_t users) {
  constexpr int64_t kUnlimited = 100'000;
  LaunchOptions o{.token_budget = 8192, .max_running = kUnlimited, .recv_interval = 1, .stream_interval = 1};
  const std::string& model = run.request.model;
  const bool blackwell = is_blackwell(run.request.system);
  const int64_t recv = users < 16 ? 10 : 30;
  if (facts.gap_analysis) return o;
  if (mentions(model, "DeepSeek") && blackwell) {
    const bool fp4 = run.request.quant.moe == aic::QuantMode::nvfp4;
    const bool tp8 = run.request.worker.parallel.tp == 8;
    o.token_budget = fp4 ? 16384 : tp8 ? 32768 : 8192;
    o.recv_interval = fp4 || tp8 ? recv : 10;
    o.stream_interval = fp4 ? 10 : 30;
    o.max_running = 256;
  } else if (mentions(model, "DeepSeek")) {
    o.token_budget = 32768;
    o.stream_interval = 10;
  } else if (mentions(model, "Qwen3.5")) {
    o.token_budget = blackwell ? 32768 : 16384;
    o.recv_interval = blackwell ? recv : 1;
    o.stream_interval = blackwell ? 30 : 50;
  }
  return o;
}

LaunchOptions trtllm_launch(const SiliconRun& run, const RowFacts& facts, const Parallel& layout,
                            int64_t users) {
  LaunchOptions o{.token_budget = 8192, .max_running = 2048, .batch_wait_iters = 0};
  const std::string& model = run.request.model;
  const auto& lengths = run.request.workload;
  if (facts.gap_analysis) return o;
  if (mentions(model, "Llama-3.1-70B")) {
    o.token_budget = 16384;
    if (lengths.isl == 1024 && lengths.osl == 1024 && layout.tp < 8) o.batch_wait_iters = 20;
    return o;
  }
  o.token_budget =
      mentions(model, "gpt-oss") ? 20000 : std::max<int64_t>(8192, (users + lengths.isl + 64 + 63) / 64 * 64);
  if (layout.dp > 1) o.batch_wait_iters = 60;
  return o;
}

/// The launch of an aggregated run.
void set_launch(const SiliconRun& run, const RowFacts& facts, const Parallel& layout, ServingQuestion& q) {
  const int64_t users = std::get<ClosedLoop>(q.workload.arrivals).users;
  switch (run.request.framework) {
    case Framework::vllm:
      q.engine = ServingEngine::vllm;
      q.launch = vllm_launch(run, facts, users);
      break;
    case Framework::sglang:
      q.engine = ServingEngine::sglang;
      q.launch = sglang_launch(run, facts, users);
      break;
    case Framework::trtllm:
      q.engine = ServingEngine::trtllm;
      q.launch = trtllm_launch(run, facts, layout, users);
      break;
  }
}

void set_workload(const SiliconRun& run, const RowFacts& facts, int64_t users, ServingQuestion& q) {
  // Public benchmark clients draw lengths from 0.8 of the nominal one; the other tool keeps them constant.
  constexpr double kDrawnRatio = 0.8;
  const bool disagg = run.request.mode == estimate::ServingMode::disaggregated;
  const double constant_ratio =
      run.request.framework == Framework::sglang && !disagg ? 1.0 : kPhaseLockRatio.value;
  const double ratio = facts.gap_analysis ? constant_ratio : kDrawnRatio;
  q.workload.input = {run.request.workload.isl, ratio};
  q.workload.output = {run.request.workload.osl, ratio};
  q.workload.arrivals = ClosedLoop{.users = users};
}

void fill_aggregated(const SiliconRun& run, const RowFacts& facts, SiliconCase& c) {
  Parallel& layout = c.request.worker.parallel;
  normalise(layout);
  if (!run.request.worker.batch) {
    c.refusal = "the row does not say how many requests ran at once";
    return;
  }
  int64_t users = *run.request.worker.batch * layout.dp;
  if (!facts.gap_analysis) c.repaired = repair_layout(run, layout);
  if (c.repaired && facts.concurrency) users = *facts.concurrency;
  if (layout.tp * layout.dp > 8) {
    c.refusal = "not an aggregated run: more than 8 ranks in one engine";
    return;
  }
  set_workload(run, facts, users, c.question);
  set_launch(run, facts, layout, c.question);
  c.question.attention_dp = layout.dp;
}

void fill_disaggregated(const SiliconRun& run, const RowFacts& facts, SiliconCase& c) {
  normalise(c.request.prefill.parallel);
  normalise(c.request.decode.parallel);
  const auto& prefill = c.request.prefill;
  const auto& decode = c.request.decode;
  if (!prefill.workers || !decode.workers || *prefill.workers < 1 || *decode.workers < 1) {
    c.refusal = "disaggregated, and the number of workers is not said";
    return;
  }
  const int64_t users =
      facts.concurrency.value_or(decode.batch.value_or(0) * *decode.workers * decode.parallel.dp);
  if (users < 1) {
    c.refusal = "the row does not say how many requests ran at once";
    return;
  }
  set_workload(run, facts, users, c.question);
  c.question.disaggregated = DisaggregatedWorkers{.prefill = prefill.workers,
                                                  .decode = decode.workers,
                                                  .prefill_attention_dp = prefill.parallel.dp,
                                                  .decode_attention_dp = decode.parallel.dp};
}

}  // namespace

SiliconCase silicon_case(const SiliconRun& run) {
  SiliconCase c{.request = run.request};
  const RowFacts facts = facts_of(run);
  c.question.name = run.id;
  repair_types(run, facts, c.request);
  if (run.request.workload.isl < 1 || run.request.workload.osl < 1)
    c.refusal = "the row has no lengths";
  else if (run.request.mode == estimate::ServingMode::aggregated)
    fill_aggregated(run, facts, c);
  else if (run.request.mode == estimate::ServingMode::disaggregated)
    fill_disaggregated(run, facts, c);
  else
    c.refusal = "neither aggregated nor disaggregated";
  return c;
}

}  // namespace perfatlas
