// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/accuracy/loo_summary.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace perfatlas {
namespace {

constexpr double kShort = 0.03, kLong = 1;  // ms

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * double(sorted.size() - 1);
  const auto low = size_t(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - double(low));
}

EngineError error_of(std::span<const LeftOut* const> group, double LeftOut::*predicted) {
  std::vector<double> sizes, errors;
  for (const LeftOut* one : group) {
    if (!(one->*predicted > 0)) continue;
    errors.push_back(std::log(one->*predicted / one->measured_ms));
    sizes.push_back(std::abs(errors.back()));
  }
  if (errors.empty()) return {};
  std::sort(sizes.begin(), sizes.end());
  std::sort(errors.begin(), errors.end());
  return {errors.size(), quantile(sizes, .5), quantile(sizes, .9), quantile(sizes, .99),
          quantile(errors, .5)};
}

class Summary {
 public:
  explicit Summary(std::span<const LeftOut> found) : found_(found) {}

  void add(std::string name, const std::function<bool(const LeftOut&)>& belongs) {
    std::vector<const LeftOut*> group;
    for (const LeftOut& one : found_)
      if (belongs(one)) group.push_back(&one);
    if (group.empty()) return;
    LooGroup made{std::move(name),
                  group.size(),
                  error_of(group, &LeftOut::aic_ms),
                  error_of(group, &LeftOut::atlas_ms),
                  {}};
    for (const LeftOut* one : group)
      for (size_t level = 0; level < 3 && one->atlas_ms > 0; ++level)
        made.coverage[level] +=
            std::abs(std::log(one->atlas_ms / one->measured_ms)) <= one->half_width[level];
    for (double& share : made.coverage) share /= double(std::max<size_t>(1, made.atlas.answered));
    groups_.push_back(std::move(made));
  }

  std::vector<LooGroup> take() { return std::move(groups_); }

 private:
  std::span<const LeftOut> found_;
  std::vector<LooGroup> groups_;
};

}  // namespace

std::vector<LooGroup> summarise(std::span<const LeftOut> found) {
  Summary summary(found);
  for (const auto& known : kEnumNames<HoldOutKind>)
    summary.add(std::string(known.name), [&](const LeftOut& one) { return one.kind == known.value; });
  for (const auto& [range, name] :
       {std::pair(HoldOutRange::inside, "inside"), {HoldOutRange::beyond, "beyond"}}) {
    const auto in_range = [range = range](const LeftOut& one) { return range_of(one.kind) == range; };
    const std::string prefix(name);
    summary.add(prefix, in_range);
    summary.add(prefix + ", < 30 us",
                [&](const LeftOut& one) { return in_range(one) && one.measured_ms < kShort; });
    summary.add(prefix + ", 30 us to 1 ms", [&](const LeftOut& one) {
      return in_range(one) && one.measured_ms >= kShort && one.measured_ms <= kLong;
    });
    summary.add(prefix + ", > 1 ms",
                [&](const LeftOut& one) { return in_range(one) && one.measured_ms > kLong; });
    summary.add(prefix + ", memory-bound",
                [&](const LeftOut& one) { return in_range(one) && !one.math_bound; });
    summary.add(prefix + ", compute-bound",
                [&](const LeftOut& one) { return in_range(one) && one.math_bound; });
  }
  return summary.take();
}

}  // namespace perfatlas
