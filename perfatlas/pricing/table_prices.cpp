// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/pricing/table_prices.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Prices steps op by op.
class StepPricer {
 public:
  StepPricer(const Model& model, const Parallelism& ranks, Database& tables, const QueryOptions& options,
             bool last_layer_cut)
      : model_(model), ranks_(ranks), tables_(tables), options_(options), last_layer_cut_(last_layer_cut) {}

  struct Parts {
    double attention_ms = 0, other_ms = 0;
    double total_ms() const { return attention_ms + other_ms; }
  };

  Parts parts(const StepShape& shape) {
    Parts parts;
    for (const OpUse& use : model_.step(shape, ranks_)) {
      const double ms = double(use.count) * launch_ms(use);
      (is_attention(use) ? parts.attention_ms : parts.other_ms) += ms;
    }
    return parts;
  }
  Parts prompt(double prompts, double tokens, double cached) {
    const StepShape shape{Phase::context, int64_t(prompts), int64_t(tokens), int64_t(cached)};
    Parts parts = this->parts(shape);
    if (last_layer_cut_) parts.other_ms -= cut_ms(shape);
    return parts;
  }
  Parts decode(double sequences, double kv_tokens) {
    return parts({Phase::generation, int64_t(sequences), 1, int64_t(kv_tokens) - 1});
  }

  std::vector<std::string> left_out() const { return {left_out_.begin(), left_out_.end()}; }
  bool transferred() const { return transferred_; }
  const std::string& place() const { return place_; }

 private:
  static bool is_attention(const OpUse& use) {
    return use.c.op->info.id == "attention_context" || use.c.op->info.id == "attention_generation" ||
           use.c.op->info.id == "mla_context" || use.c.op->info.id == "mla_generation";
  }

  /// What the last layer saves when nothing after its attention and output projection is computed for other tokens than
  /// the last one of each prompt.
  double cut_ms(const StepShape& shape) {
    const std::vector<OpUse> whole = model_.step(shape, ranks_);
    const std::vector<OpUse> cut = model_.step({shape.phase, shape.batch, 1, shape.cached}, ranks_);
    PERFATLAS_ASSERT(whole.size() == cut.size());
    const std::vector<size_t> order = execution_order(whole);
    const auto attention =
        std::find_if(order.rbegin(), order.rend(), [&](size_t index) { return is_attention(whole[index]); });
    double saved_ms = 0;
    bool projected = false;
    for (auto at = attention.base(); at != order.end(); ++at) {
      if (projected) saved_ms += launch_ms(whole[*at]) - launch_ms(cut[*at]);
      projected |= whole[*at].c.op->info.id == "gemm";
    }
    return saved_ms;
  }

  double launch_ms(const OpUse& use) {
    const Answer answer = tables_.query(use.c, options_);
    if (answer) {
      transferred_ |= answer.source == AnswerSource::transferred;
      if (place_.empty()) place_ = fmt::format("{} {} {}", answer.system, answer.backend, answer.version);
      return answer.latency_ms;
    }
    if (!answer.version.empty())  // there is a table, without this case
      throw Error(fmt::format("{}: {}; collect it and place it", use.name, answer.miss_reason));
    left_out_.insert(use.name);
    return 0;
  }

  const Model& model_;
  const Parallelism& ranks_;
  Database& tables_;
  const QueryOptions& options_;
  bool last_layer_cut_;
  std::set<std::string> left_out_;
  std::string place_;
  bool transferred_ = false;
};

/// first, 2 * first, ... and `last` itself.
std::vector<double> doubling(int64_t first, int64_t last) {
  std::vector<double> sizes;
  for (int64_t size = first; size < last; size *= 2) sizes.push_back(double(size));
  sizes.push_back(double(std::max(first, last)));
  return sizes;
}

template <class Price>
PriceSurface surface(const std::vector<double>& first, const std::vector<double>& second, Price price) {
  std::vector<double> price_ms;
  for (const double a : first)
    for (const double b : second) price_ms.push_back(price(a, b));
  return {PriceAxis(first), PriceAxis(second), std::move(price_ms)};
}

template <class Price>
PriceCurve curve(const std::vector<double>& sizes, Price price) {
  std::vector<double> price_ms;
  for (const double size : sizes) price_ms.push_back(price(size));
  return {PriceAxis(sizes), std::move(price_ms)};
}

}  // namespace

TablePrices table_prices(const Model& model, const Parallelism& ranks, Database& tables,
                         const QueryOptions& options, const StepRange& range) {
  constexpr int64_t kLeastPrompt = 16, kLeastKv = 128;
  StepPricer steps(model, ranks, tables, options, range.last_layer_cut);
  const auto tokens = doubling(1, range.step_tokens);
  const auto prompts = doubling(1, std::min<int64_t>(range.sequences, 32));
  const auto prompt_tokens = doubling(kLeastPrompt, range.prompt_tokens);
  std::vector<double> cached = doubling(kLeastKv, range.prompt_tokens);
  cached.insert(cached.begin(), 0);
  const auto sequences = doubling(1, range.sequences), kv_tokens = doubling(kLeastKv, range.prompt_tokens);
  PriceTables prices{
      .identity = {},
      .context = curve(tokens, [&](double t) { return steps.prompt(1, t, 0).other_ms; }),
      .prompt_attention = surface(prompts, prompt_tokens,
                                  [&](double m, double s) { return steps.prompt(m, s, 0).attention_ms; }),
      .chunk_attention = surface(prompt_tokens, cached,
                                 [&](double n, double p) { return steps.prompt(1, n, p).attention_ms; }),
      .decode =
          surface(sequences, kv_tokens, [&](double g, double k) { return steps.decode(g, k).total_ms(); }),
      .decode_attention =
          surface(sequences, kv_tokens, [&](double g, double k) { return steps.decode(g, k).attention_ms; })};
  if (steps.place().empty())
    throw Error(fmt::format("the tables hold no op of {}; collect and place it first", model.name));
  prices.identity = fmt::format("{} {} tp{}", model.name, steps.place(), ranks.tp);
  if (steps.transferred()) prices.source = PriceSource::transferred;
  return {std::move(prices), steps.left_out()};
}

}  // namespace perfatlas
