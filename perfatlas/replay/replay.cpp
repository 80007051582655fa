// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/replay/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/points/family_audit.h"
#include "perfatlas/points/family_order.h"

namespace perfatlas {
namespace {

constexpr uint64_t kTestSeed = 23;
// Published descriptions of systems say nothing of a last-level cache. In another state what it may hold would cost
// nothing, and the mean of sparse tables would lack all activations.
constexpr CacheState kPublishedState = CacheState::cold;
constexpr std::array<uint64_t, 2> kRandomSeeds{1, 2};

/// A row of the hold-out and how much it counts.
struct TestRow {
  uint32_t row = 0;
  double weight = 0;
  bool new_shape = false;
  bool comparable = true;  // the full grid's resolver answers it
};

struct WeightedError {
  double error = 0, weight = 0;
};

/// Each shape counts the same, spread evenly over its octave cells.
std::vector<TestRow> test_rows(const SizeSpace& space, const ReplayFamily& family, std::vector<uint32_t> rows,
                               bool new_shape, size_t most) {
  std::sort(rows.begin(), rows.end(), [&](uint32_t a, uint32_t b) {
    const auto key = [&](uint32_t r) {
      return std::pair(combine_hashes(case_id({&space.op(), family.values[r]}), kTestSeed), r);
    };
    return key(a) < key(b);
  });
  rows.resize(std::min(rows.size(), most));
  std::unordered_map<uint64_t, uint32_t> in_cell, cells_of_shape;
  for (const uint32_t r : rows)
    if (in_cell[space.cell_of(family.values[r])]++ == 0) ++cells_of_shape[space.shape_of(family.values[r])];
  std::vector<TestRow> tests;
  double sum = 0;
  for (const uint32_t r : rows) {
    const double weight = 1.0 / double(in_cell[space.cell_of(family.values[r])]) /
                          double(cells_of_shape[space.shape_of(family.values[r])]);
    tests.push_back({r, weight, new_shape});
    sum += weight;
  }
  for (TestRow& test : tests) test.weight /= 2 * sum;
  return tests;
}

double weighted_quantile(std::vector<WeightedError> errors, double share) {
  if (errors.empty()) return 0;
  std::sort(errors.begin(), errors.end(), [](const auto& a, const auto& b) { return a.error < b.error; });
  double total = 0, before = 0;
  for (const WeightedError& e : errors) total += e.weight;
  for (const WeightedError& e : errors) {
    before += e.weight;
    if (before >= share * total) return e.error;
  }
  return errors.back().error;
}

/// One family, its hold-out and everything that is asked of it.
class Replay {
 public:
  Replay(const OpType& op, const ReplayFamily& family, const SystemSpec& system, const ReplayOptions& options)
      : space_(op), family_(family), context_{&system, kPublishedState}, options_(options) {
    const ReplayHoldOut held = replay_hold_out(space_, family);
    pool_ = held.pool;
    tests_ = test_rows(space_, family, held.known_shapes, false, options.most_tests);
    const auto new_tests = test_rows(space_, family, held.new_shapes, true, options.most_tests);
    tests_.insert(tests_.end(), new_tests.begin(), new_tests.end());
  }

  ReplayResult result();

 private:
  std::vector<SlicePoint> points(std::span<const uint32_t> order) const;
  ReplayError error_of(const Predictor& predictor) const;
  ReplayCurve curve(const std::string& strategy, const std::vector<std::vector<uint32_t>>& orders) const;
  std::vector<OrderPlace> plan_order() const;
  std::vector<uint32_t> random_order(uint64_t seed) const;
  std::vector<uint32_t> coarse_order() const;
  ReplayAudit audited(const std::vector<OrderPlace>& order) const;
  void say(const std::string& line) const {
    if (options_.progress) options_.progress(line);
  }

  SizeSpace space_;
  const ReplayFamily& family_;
  SolContext context_;
  const ReplayOptions& options_;
  std::vector<uint32_t> pool_;
  std::vector<TestRow> tests_;
};

std::vector<SlicePoint> Replay::points(std::span<const uint32_t> order) const {
  std::vector<SlicePoint> points;
  for (const uint32_t row : order)
    points.push_back({family_.values[row], family_.latency_ms[row], std::nullopt});
  return points;
}

ReplayError Replay::error_of(const Predictor& predictor) const {
  std::vector<WeightedError> all, known, fresh, comparable;
  ReplayError error;
  for (const TestRow& test : tests_) {
    const auto predicted = predictor.latency_ms(family_.values[test.row]);
    if (!predicted) {
      ++error.misses;
      continue;
    }
    const WeightedError e{std::abs(*predicted / family_.latency_ms[test.row] - 1), test.weight};
    all.push_back(e);
    (test.new_shape ? fresh : known).push_back(e);
    if (test.comparable) comparable.push_back(e);
  }
  error.p50 = weighted_quantile(all, .5);
  error.p90 = weighted_quantile(all, .9);
  error.p99 = weighted_quantile(all, .99);
  error.known_p90 = weighted_quantile(known, .9);
  error.new_p90 = weighted_quantile(fresh, .9);
  error.comparable_p90 = weighted_quantile(comparable, .9);
  return error;
}

/// The mean over several orders (seeds) of one strategy.
ReplayCurve Replay::curve(const std::string& strategy,
                          const std::vector<std::vector<uint32_t>>& orders) const {
  ReplayCurve curve{strategy, {}};
  for (const double share : options_.shares) {
    const auto count =
        std::clamp<size_t>(size_t(std::llround(share * double(pool_.size()))), 8, pool_.size());
    ReplayPoint point{share, count, {}};
    for (const std::vector<uint32_t>& order : orders) {
      const auto chosen = points(std::span(order).first(std::min(count, order.size())));
      const ReplayError e = error_of(*make_kriged_predictor(space_.op(), chosen, context_));
      const double part = 1.0 / double(orders.size());
      point.error.p50 += part * e.p50;
      point.error.p90 += part * e.p90;
      point.error.p99 += part * e.p99;
      point.error.known_p90 += part * e.known_p90;
      point.error.new_p90 += part * e.new_p90;
      point.error.comparable_p90 += part * e.comparable_p90;
      point.error.misses += e.misses;
    }
    say(fmt::format("{}: {} at {:.0f} %: p90 {:.1f} %", family_.name, strategy, 100 * share,
                    100 * point.error.p90));
    curve.points.push_back(point);
  }
  return curve;
}

std::vector<OrderPlace> Replay::plan_order() const {
  const FamilyCases cases{pool_.size(), [this](size_t i) { return family_.values[pool_[i]]; },
                          [this](size_t i) {
                            return case_id({&space_.op(), family_.values[pool_[i]]});
                          }};
  const double most = *std::max_element(options_.shares.begin(), options_.shares.end());
  auto picks = size_t(std::llround(most * double(pool_.size())));
  picks = std::clamp<size_t>(picks, std::min<size_t>(8, pool_.size()), pool_.size());
  std::vector<OrderPlace> order =
      family_order(space_, cases, {.picks = picks, .audits = family_.values.size() >= kWholeFamily});
  for (OrderPlace& place : order) place.index = pool_[place.index];
  return order;
}

std::vector<uint32_t> Replay::random_order(uint64_t seed) const {
  std::vector<std::pair<uint64_t, uint32_t>> keys;
  for (const uint32_t row : pool_)
    keys.emplace_back(combine_hashes(case_id({&space_.op(), family_.values[row]}), seed), row);
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> order;
  for (const auto& [key, row] : keys) order.push_back(row);
  return order;
}

/// Every axis halved again and again: the ends, the middle, the quarters. A case is as coarse as its finest size.
std::vector<uint32_t> Replay::coarse_order() const {
  const size_t axes = space_.axes().size();
  std::vector<std::map<double, int>> level_of(axes);
  for (const uint32_t row : pool_)
    for (size_t a = 0; a < axes; ++a) level_of[a][space_.axes()[a].octaves(family_.values[row])] = 0;
  for (auto& levels : level_of) {
    size_t i = 0;
    for (auto& [octaves, level] : levels) {
      const size_t place = i++;
      level = 0;
      // The finest power of two that divides the place says in which halving it appears; the ends come first.
      if (place != 0 && place + 1 != levels.size())
        for (size_t step = std::bit_ceil(levels.size()) / 2; step > 0 && place % step != 0; step /= 2)
          ++level;
    }
  }
  std::vector<std::tuple<int, uint64_t, uint32_t>> keys;
  for (const uint32_t row : pool_) {
    int finest = 0;
    for (size_t a = 0; a < axes; ++a)
      finest = std::max(finest, level_of[a].at(space_.axes()[a].octaves(family_.values[row])));
    keys.emplace_back(finest, case_id({&space_.op(), family_.values[row]}), row);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<uint32_t> order;
  for (const auto& [level, id, row] : keys) order.push_back(row);
  return order;
}

/// Follows the plan place by place until it says that it has enough.
ReplayAudit Replay::audited(const std::vector<OrderPlace>& order) const {
  FamilyAudit audit(space_.op(), make_kriged_predictor, context_);
  ReplayAudit stop;
  std::vector<uint32_t> measured;
  for (size_t place = 0; place < order.size(); ++place) {
    const uint32_t row = order[place].index;
    measured.push_back(row);
    audit.measured(place, {family_.values[row], order[place].audit, family_.latency_ms[row], 0});
    if (!audit.advance()) continue;
    stop.verdict = audit.verdict(*options_.target_p90);
    if (const auto figure = audit.figure()) stop.figure = *figure;
    if (stop.verdict == StopVerdict::go_on) continue;
    stop.points = measured.size();
    break;
  }
  stop.error = error_of(*make_kriged_predictor(space_.op(), points(measured), context_));
  return stop;
}

ReplayResult Replay::result() {
  ReplayResult result{.system = context_.system->system,
                      .family = family_.name,
                      .rows = family_.values.size(),
                      .pool = pool_.size()};
  if (pool_.empty() || tests_.empty())
    throw Error(fmt::format("{}: its {} rows leave nothing to judge a plan by", family_.name, result.rows));
  const auto everything = points(pool_);
  const auto resolver = make_resolver_predictor(space_.op(), everything, context_);
  for (TestRow& test : tests_) test.comparable = resolver->latency_ms(family_.values[test.row]).has_value();
  result.full_resolver = error_of(*resolver);
  say(fmt::format("{}: full grid, resolver: p90 {:.1f} %", family_.name, 100 * result.full_resolver.p90));
  result.full_kriged = error_of(*make_kriged_predictor(space_.op(), everything, context_));
  const std::vector<OrderPlace> planned = plan_order();
  std::vector<uint32_t> order;
  for (const OrderPlace& place : planned) order.push_back(place.index);
  result.curves.push_back(curve("small plan", {order}));
  result.curves.push_back(curve("random", {random_order(kRandomSeeds[0]), random_order(kRandomSeeds[1])}));
  result.curves.push_back(curve("coarse grid", {coarse_order()}));
  if (options_.target_p90) result.stop = audited(planned);
  return result;
}

}  // namespace

std::optional<double> ReplayResult::share_needed(const ReplayCurve& curve) const {
  for (const ReplayPoint& point : curve.points)
    if (point.error.comparable_p90 <= full_resolver.p90) return point.share;
  return std::nullopt;
}

ReplayResult replay(const OpType& op, const ReplayFamily& family, const SystemSpec& system,
                    const ReplayOptions& options) {
  return Replay(op, family, system, options).result();
}

}  // namespace perfatlas
