// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/interp/atlas_axis.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr int kMantissaBits = 52, kMostSplits = 6;  // 2^6 buckets per octave at most
constexpr uint32_t kFewSteps = 2;
constexpr size_t kMostBuckets = 4096;

}  // namespace

uint32_t upper_anchor_of(std::span<const double> keys) {
  const auto after = std::upper_bound(keys.begin(), keys.end(), keys.back() / 4);
  return after == keys.begin() ? 0 : uint32_t(after - keys.begin() - 1);
}

uint32_t lower_anchor_of(std::span<const double> keys) {
  const auto at = std::lower_bound(keys.begin(), keys.end(), keys.front() * 4);
  return uint32_t(at == keys.end() ? keys.size() - 1 : size_t(at - keys.begin()));
}

AtlasAxis::AtlasAxis(std::vector<double> keys) : keys_(std::move(keys)) {
  PERFATLAS_ASSERT(!keys_.empty() && keys_.size() < UINT32_MAX);
  last_ = uint32_t(keys_.size() - 1);
  upper_anchor_ = upper_anchor_of(keys_);
  lower_anchor_ = lower_anchor_of(keys_);
  keys_.push_back(std::numeric_limits<double>::quiet_NaN());
  for (int bits = 0; bits <= kMostSplits && make_table(bits);) ++bits;
}

/// One bucket per octave, split 2^mantissa_bits times. False: no finer table will be better, or this one is too large.
bool AtlasAxis::make_table(int mantissa_bits) {
  const int shift = kMantissaBits - mantissa_bits;
  const auto bucket_of = [&](double x) { return std::bit_cast<int64_t>(x) >> shift; };
  const int64_t first = bucket_of(keys_[0] > 0 || last_ == 0 ? keys_[0] : keys_[1]);  // no octave begins at 0
  const auto buckets = size_t(bucket_of(keys_[last_]) - first + 1);
  if (buckets > kMostBuckets) return false;
  shift_ = shift;
  first_bucket_ = first;
  start_.assign(buckets, 0);
  steps_ = 1;
  size_t filled = 1;
  for (uint32_t i = 1, in_bucket = 1; i <= last_; ++i) {
    const auto bucket = size_t(bucket_of(keys_[i]) - first);
    for (; filled <= bucket; ++filled) start_[filled] = i - 1;
    in_bucket = bucket_of(keys_[i]) == bucket_of(keys_[i - 1]) ? in_bucket + 1 : 1;
    steps_ = std::max(steps_, in_bucket);
  }
  return steps_ > kFewSteps;
}

std::shared_ptr<const AtlasAxis> AxisPool::axis_of(const std::vector<double>& keys) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const AtlasAxis>& axis = axes_[keys];
  if (!axis) axis = std::make_shared<const AtlasAxis>(keys);
  return axis;
}

}  // namespace perfatlas
