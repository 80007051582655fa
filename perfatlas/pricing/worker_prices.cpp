// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/worker_prices.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/memory.h"

namespace perfatlas {
namespace {

using estimate::StepPrice;
using estimate::Worker;

const std::vector<double> kTokens{1,    2,    4,     8,     12,    16,    24,    32,    48,
                                  64,   96,   128,   160,   192,   256,   320,   384,   512,
                                  640,  768,  1024,  1280,  1536,  2048,  3072,  4096,  5120,
                                  6144, 8192, 10240, 12288, 16384, 20480, 24576, 32768, 40960};
const std::vector<double> kPrompts{1, 2, 4, 8, 16, 32};
const std::vector<double> kPromptTokens{64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};
const std::vector<double> kChunkTokens{128, 512, 1024, 2048, 4096, 8192, 16384};
const std::vector<double> kCachedTokens{0, 1024, 2048, 4096, 8192, 16384};
const std::vector<double> kSequences{1,  2,  4,   8,   12,  16,  24,  32,  48,
                                     64, 96, 128, 192, 256, 384, 512, 768, 1024};
const std::vector<double> kKvTokens{64, 256, 1024, 2048, 4096, 8192, 12288, 16384};

constexpr size_t kLeastKept = 4;             // grid values of each axis, below which a table is refused
constexpr double kMemoryProbeTokens = 8192;  // of one sequence, to find the KV bytes per token

/// Prices one table; grid values without a price are cut off at the upper ends.
class SurfaceMaker {
 public:
  SurfaceMaker(std::vector<double> first, std::vector<double> second)
      : first_(std::move(first)),
        second_(std::move(second)),
        rows_(first_.size()),
        columns_(second_.size()) {}

  /// `price(a, b)` answers a StepPrice, `explain(price, a, b)` a line.
  template <class Price, class Explain>
  PriceSurface make(Price price, Explain explain, bool& transferred) {
    std::vector<double> all(first_.size() * second_.size());
    for (size_t i = 0; i < rows_; ++i)
      for (size_t j = 0; j < columns_; ++j) {
        const auto a = int64_t(first_[i]), b = int64_t(second_[j]);
        const StepPrice p = price(a, b);
        if (!p.ok()) {
          cut(i, j, [&] { return explain(p, a, b); });
          break;
        }
        transferred |= p.transferred_ms > 0;
        all[i * second_.size() + j] = p.latency_ms;
      }
    std::vector<double> kept;
    for (size_t i = 0; i < rows_; ++i)
      for (size_t j = 0; j < columns_; ++j) kept.push_back(all[i * second_.size() + j]);
    first_.resize(rows_);
    second_.resize(columns_);
    return {PriceAxis(first_), PriceAxis(second_), std::move(kept)};
  }

 private:
  template <class Explain>
  void cut(size_t row, size_t column, Explain explain) {
    if (column >= std::min(kLeastKept, second_.size()))
      columns_ = column;
    else if (row >= std::min(kLeastKept, first_.size()))
      rows_ = row;
    else
      throw UsageError(explain());
  }

  std::vector<double> first_, second_;
  size_t rows_, columns_;
};

PriceCurve context_curve(const Worker& worker, bool& transferred) {
  std::vector<double> tokens, price_ms;
  for (const double t : kTokens) {
    const StepPrice price = worker.split_context_step(1, int64_t(t), 0).other;
    if (!price.ok()) {
      if (tokens.size() < kLeastKept) throw UsageError(worker.explain_context(price, 1, int64_t(t), 0));
      break;
    }
    transferred |= price.transferred_ms > 0;
    tokens.push_back(t);
    price_ms.push_back(price.latency_ms);
  }
  return {PriceAxis(tokens), price_ms};
}

/// "tp4 dp2 ep8": only what is split.
std::string split_text(const estimate::Parallel& p) {
  std::string text = fmt::format("tp{}", p.tp);
  if (p.pp > 1) text += fmt::format(" pp{}", p.pp);
  if (p.dp > 1) text += fmt::format(" dp{}", p.dp);
  if (p.moe_tp.value_or(1) > 1) text += fmt::format(" etp{}", *p.moe_tp);
  if (p.moe_ep.value_or(1) > 1) text += fmt::format(" ep{}", *p.moe_ep);
  if (p.cp > 1) text += fmt::format(" cp{}", p.cp);
  return text;
}

}  // namespace

ServingEngine engine_of(estimate::Framework framework) {
  switch (framework) {
    case estimate::Framework::trtllm:
      return ServingEngine::trtllm;
    case estimate::Framework::sglang:
      return ServingEngine::sglang;
    case estimate::Framework::vllm:
      return ServingEngine::vllm;
  }
  return ServingEngine::vllm;
}

PriceTables worker_prices(const Worker& worker, const std::string& identity) {
  bool transferred = false;
  const auto explain_context = [&](const StepPrice& p, int64_t a, int64_t b) {
    return worker.explain_context(p, a, b, 0);
  };
  const auto explain_chunk = [&](const StepPrice& p, int64_t a, int64_t b) {
    return worker.explain_context(p, 1, a, b);
  };
  const auto explain_decode = [&](const StepPrice& p, int64_t a, int64_t b) {
    return worker.explain_generation(p, a, b);
  };
  PriceTables prices{
      .identity = identity,
      .max_seq_len = worker.model().sizes().max_context,
      .context = context_curve(worker, transferred),
      .prompt_attention =
          SurfaceMaker(kPrompts, kPromptTokens)
              .make([&](int64_t m, int64_t s) { return worker.split_context_step(m, s, 0).attention; },
                    explain_context, transferred),
      .chunk_attention =
          SurfaceMaker(kChunkTokens, kCachedTokens)
              .make([&](int64_t n, int64_t p) { return worker.split_context_step(1, n, p).attention; },
                    explain_chunk, transferred),
      .decode = SurfaceMaker(kSequences, kKvTokens)
                    .make([&](int64_t g, int64_t k) { return worker.generation_step(g, k); }, explain_decode,
                          transferred),
      .decode_attention =
          SurfaceMaker(kSequences, kKvTokens)
              .make([&](int64_t g, int64_t k) { return worker.split_generation_step(g, k).attention; },
                    explain_decode, transferred)};
  prices.source = transferred ? PriceSource::transferred : PriceSource::measured;
  if (worker.attention_is_fused()) prices.fused_projection_ms = prices.decode_attention.at(1, 64);
  return prices;
}

RankMemory rank_memory(const Worker& worker) {
  const estimate::Memory memory = estimate::memory_of(
      worker.sizes(), {.batch = 1, .sequence_tokens = int64_t(kMemoryProbeTokens), .step_tokens = 1});
  return {.device_bytes = estimate::capacity_bytes(worker.system()),
          .weight_bytes = memory.weights,
          .kv_bytes_per_token = memory.kv_cache / kMemoryProbeTokens};
}

std::shared_ptr<const PriceTables> WorkerPrices::tables(const estimate::WorkerQuestion& question) {
  const std::shared_ptr<const Worker> worker = session_.worker(question);
  {
    const std::lock_guard lock(mutex_);
    const auto found = tables_.find(worker);
    if (found != tables_.end()) return found->second;
  }
  const std::string identity = fmt::format(
      "{} {} {} {} {}", question.model, question.system, estimate::name_of(question.framework),
      session_.open(question.system, question.framework, question.version, question.view.mode).version,
      split_text(worker->deployment().parallel));
  auto made = std::make_shared<const PriceTables>(worker_prices(*worker, identity));
  const std::lock_guard lock(mutex_);
  return tables_.emplace(worker, std::move(made)).first->second;
}

}  // namespace perfatlas
