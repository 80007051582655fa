// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_routing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// Loads above this are not looked at token by token in expected_load.
constexpr double kMostRoundedTokens = 64;

constexpr std::string_view kPowerLaw = "power_law_", kFixedOrder = "_fixed_order", kEplb = "_eplb";

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// The bounded power law that loads are drawn from.
struct LoadDensity {
  double low, high, exponent;    // exponent of the integrated density: 1 - alpha
  double low_power, high_power;  // low and high to the exponent

  LoadDensity(const RoutingShape& shape, double alpha) : exponent(1 - alpha) {
    const bool few = shape.assignments() <= shape.experts;
    low = few ? 0.01 : 1;
    high = few ? 2 : 0.8 * double(shape.tokens);
    low_power = std::pow(low, exponent);
    high_power = std::pow(high, exponent);
  }
  /// Inverse of the cumulative distribution.
  double quantile(double u) const { return std::pow((high_power - low_power) * u + low_power, 1 / exponent); }
  double mean() const {
    const double weight = high_power - low_power;
    const double moment = exponent == -1
                              ? std::log(high / low)
                              : (std::pow(high, exponent + 1) - std::pow(low, exponent + 1)) / (exponent + 1);
    return moment * exponent / weight;
  }
  /// Share of draws of at least x.
  double above(double x) const {
    x = std::clamp(x, low, high);
    return (high_power - std::pow(x, exponent)) / (high_power - low_power);
  }
};

std::vector<int64_t> draw_counts(const RoutingShape& shape, double alpha, uint64_t seed) {
  const LoadDensity density(shape, alpha);
  std::mt19937_64 random(seed);
  std::vector<double> loads(size_t(shape.experts));
  for (double& load : loads) load = density.quantile(double(random() >> 11) * 0x1p-53);
  const double scale = double(shape.assignments()) / std::accumulate(loads.begin(), loads.end(), 0.0);
  std::vector<int64_t> counts;
  for (const double load : loads) counts.push_back(int64_t(std::nearbyint(load * scale)));
  return counts;
}

/// Adds (or removes) single tokens until the sum is right, never above `most` tokens per expert or below none.
class CountCorrection {
 public:
  CountCorrection(const RoutingShape& shape, std::vector<int64_t>& counts) : shape_(shape), counts_(counts) {}

  void per_rank(int64_t missing) {
    for (int64_t rank = 0; missing != 0; rank = (rank + 1) % shape_.ep) {
      const auto first = counts_.begin() + rank * shape_.experts_per_rank();
      const auto last = first + shape_.experts_per_rank();
      const auto at = missing > 0 ? std::min_element(first, last) : std::max_element(first, last);
      if (missing > 0 && *at < shape_.tokens) ++*at, --missing;
      if (missing < 0 && *at > 0) --*at, ++missing;
    }
  }

  /// Fills the least loaded expert, then the next one.
  void fill_in_order(int64_t surplus) {
    for (const size_t expert : ascending()) {
      const int64_t taken = std::min(surplus, shape_.tokens - counts_[expert]);
      counts_[expert] += taken;
      surplus -= taken;
    }
    PERFATLAS_ASSERT(surplus == 0);
  }

  /// One token for each expert in turn, the least loaded first.
  void cycle(int64_t missing) {
    const std::vector<size_t> order = ascending();
    for (size_t i = 0; missing != 0; i = (i + 1) % order.size()) {
      int64_t& count = counts_[order[i]];
      if (missing > 0 && count < shape_.tokens) ++count, --missing;
      if (missing < 0 && count > 0) --count, ++missing;
    }
  }

 private:
  std::vector<size_t> ascending() const {
    std::vector<size_t> order(counts_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts_[a] < counts_[b]; });
    return order;
  }

  const RoutingShape& shape_;
  std::vector<int64_t>& counts_;
};

int64_t sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

void swap_hottest_rank(const RoutingShape& shape, std::vector<int64_t>& counts) {
  const auto block = [&](int64_t rank) { return counts.begin() + rank * shape.experts_per_rank(); };
  int64_t hottest = 0, most = -1;
  for (int64_t rank = 0; rank < shape.ep; ++rank) {
    const int64_t load = std::accumulate(block(rank), block(rank + 1), int64_t{0});
    if (load > most) hottest = rank, most = load;
  }
  if (hottest != 0) std::swap_ranges(block(0), block(1), block(hottest));
}

}  // namespace

std::optional<LoadDistribution> parse_distribution(std::string_view text) {
  LoadDistribution found;
  if (text == "balanced" || text == "uniform") return found;
  found.eplb = take_suffix(text, kEplb);
  if (take_suffix(text, kFixedOrder)) found.redistribution = Redistribution::fixed_order;
  if (!text.starts_with(kPowerLaw)) return std::nullopt;
  const auto alpha = parse_real(text.substr(kPowerLaw.size()));
  if (!alpha || !(*alpha > 0) || *alpha == 1 || *alpha > 100) return std::nullopt;
  found.alpha = *alpha;
  return found;
}

ExpertIds balanced_ids(const RoutingShape& shape) {
  const int64_t stride = (shape.experts + shape.topk - 1) / shape.topk;
  ExpertIds ids(size_t(shape.assignments()));
  for (int64_t token = 0; token < shape.tokens; ++token) {
    const int64_t offset = shape.tokens >= stride ? token : token * stride / shape.tokens;
    const auto row = ids.begin() + token * shape.topk;
    for (int64_t j = 0; j < shape.topk; ++j) {
      auto expert = int32_t((offset + j * stride) % shape.experts);
      while (std::find(row, row + j, expert) != row + j) expert = int32_t((expert + 1) % shape.experts);
      row[j] = expert;
    }
  }
  return ids;
}

ExpertIds balanced_rank_ids(const RoutingShape& shape) {
  const int64_t per_rank = shape.experts_per_rank();
  const int64_t groups = shape.ep / shape.topk;
  PERFATLAS_ASSERT(groups == 0 || shape.ep % shape.topk == 0);
  ExpertIds ids;
  for (int64_t token = 0; token < shape.tokens; ++token)
    for (int64_t j = 0; j < shape.topk; ++j) {
      const int64_t rank = groups > 0 ? token % groups * shape.topk + j : j % shape.ep;
      const int64_t offset = groups > 0 ? token / groups : token + j / shape.ep;
      ids.push_back(int32_t(rank * per_rank + offset % per_rank));
    }
  return ids;
}

std::vector<int64_t> power_law_counts(const RoutingShape& shape, double alpha, Redistribution redistribution,
                                      uint64_t seed) {
  std::vector<int64_t> counts = draw_counts(shape, alpha, seed);
  const int64_t drawn = sum(counts);
  for (int64_t& count : counts) count = std::min(count, shape.tokens);
  const int64_t room = shape.tokens * shape.experts - sum(counts);
  const int64_t surplus = std::min(drawn - sum(counts), room);
  CountCorrection correction(shape, counts);
  if (redistribution == Redistribution::per_rank) {
    correction.per_rank(surplus);
    correction.per_rank(shape.assignments() - sum(counts));
  } else {
    correction.fill_in_order(surplus);
    correction.cycle(shape.assignments() - sum(counts));
  }
  swap_hottest_rank(shape, counts);
  return counts;
}

ExpertIds assign_tokens(const RoutingShape& shape, const std::vector<int64_t>& counts) {
  PERFATLAS_ASSERT(sum(counts) == shape.assignments());
  std::vector<size_t> order(counts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  ExpertIds ids(size_t(shape.assignments()));
  int64_t position = 0;  // in choice-major order: all first choices, then all second ones
  for (const size_t expert : order)
    for (int64_t n = 0; n < counts[expert]; ++n, ++position)
      ids[size_t(position % shape.tokens * shape.topk + position / shape.tokens)] = int32_t(expert);
  return ids;
}

ExpertIds route_tokens(const RoutingShape& shape, const LoadDistribution& distribution, uint64_t seed) {
  if (distribution.balanced()) return balanced_ids(shape);
  std::vector<int64_t> counts =
      power_law_counts(shape, distribution.alpha, distribution.redistribution, seed);
  if (distribution.eplb) counts = place_experts(shape, counts, shape.experts).counts;
  return assign_tokens(shape, counts);
}

RankView rank_zero_view(const ExpertIds& ids, int64_t topk, int64_t local) {
  RankView view;
  view.counts.resize(size_t(local));
  for (size_t at = 0; at < ids.size(); at += size_t(topk)) {
    const auto row = ids.begin() + std::ptrdiff_t(at);
    if (std::none_of(row, row + topk, [&](int32_t id) { return id < local; })) continue;
    view.tokens.push_back(int32_t(at / size_t(topk)));
    for (int64_t j = 0; j < topk; ++j) {
      view.ids.push_back(row[j] < local ? row[j] : -1);
      if (row[j] < local) ++view.counts[size_t(row[j])];
    }
  }
  return view;
}

std::vector<float> logits_of(const ExpertIds& ids, int64_t topk, int64_t experts) {
  const double total = double(topk) * std::exp(1.0) + double(experts - topk);
  std::vector<float> logits(ids.size() / size_t(topk) * size_t(experts), float(1 / total));
  for (size_t i = 0; i < ids.size(); ++i)
    logits[i / size_t(topk) * size_t(experts) + size_t(ids[i])] = float(std::exp(1.0) / total);
  return logits;
}

ExpectedLoad expected_load(const RoutingShape& shape, const LoadDistribution& distribution) {
  const auto local = double(shape.experts_per_rank());
  const double mean = double(shape.assignments()) / double(shape.ep);
  if (distribution.balanced()) {
    const int64_t stride = (shape.experts + shape.topk - 1) / shape.topk;
    if (shape.tokens >= stride) return {mean, local};
    const RankView view = rank_zero_view(balanced_ids(shape), shape.topk, shape.experts_per_rank());
    const auto untouched = double(std::count(view.counts.begin(), view.counts.end(), 0));
    return {double(sum(view.counts)), local - untouched};
  }
  const LoadDensity density(shape, distribution.alpha);
  const double scale = double(shape.assignments()) / (double(shape.experts) * density.mean());
  // An expert has at least n tokens when its share is above n - 1/2. Tokens that rounding lost go to experts without.
  const double most = scale * density.high;
  double rounded = 0;
  if (most > kMostRoundedTokens + 0.5)  // loads so large lose next to nothing
    rounded = double(shape.topk * shape.tokens) / double(shape.experts);
  else
    for (double n = 1; n - 0.5 < most; ++n) rounded += density.above((n - 0.5) / scale);
  const double lost = std::max(0.0, double(shape.assignments()) - double(shape.experts) * rounded);
  const double touched = local * density.above(0.5 / scale) + lost / double(shape.ep);
  return {mean, std::clamp(touched, 1.0, std::min(local, double(shape.assignments())))};
}

}  // namespace perfatlas
