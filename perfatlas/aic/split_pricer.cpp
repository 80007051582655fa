// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/split_pricer.h"

#include <algorithm>

namespace perfatlas::aic {
namespace {

class SplitPricer final : public Pricer {
 public:
  SplitPricer(std::unique_ptr<const Pricer> part, SplitBlock block, CollectiveCost gather)
      : part_(std::move(part)), block_(std::move(block)), gather_(std::move(gather)) {}

  Price price(const PhasePoint& at) const override {
    const PhasePoint part = part_of(at);
    Price sum = part_->price(part);
    if (!sum.ok()) return sum;
    if (block_.excess) {
      const std::optional<double> excess_ms = block_.excess(at, part);
      if (!excess_ms) return Price::failed(Failure::perf_data_not_available);
      sum.latency_ms += *excess_ms;
    }
    for (const auto& elements : block_.gathered) {
      const Price gather = gather_.price(elements(at));
      if (!gather.ok() || gather.latency_ms > 0)
        sum += gather;  // an empty one says nothing about the sum's origin
    }
    if (!sum.ok()) return sum;
    return {.latency_ms = sum.latency_ms, .source = Source::estimated, .provenance = sum.provenance};
  }

  std::string explain(const PhasePoint& at) const override {
    const PhasePoint part = part_of(at);
    if (std::string why = part_->explain(part); !why.empty()) return why;
    if (block_.excess && !block_.excess(at, part)) return block_.why_missing(at);
    for (const auto& elements : block_.gathered)
      if (std::string why = gather_.explain(elements(at)); !why.empty()) return why;
    return {};
  }

  /// Of the part.
  Ground ground(const PhasePoint& at) const override { return part_->ground(part_of(at)); }

 private:
  PhasePoint part_of(const PhasePoint& whole) const {
    PhasePoint part = whole;
    part.s = std::max<int64_t>(1, (whole.s + block_.cp_size - 1) / block_.cp_size);
    return part;
  }

  std::unique_ptr<const Pricer> part_;
  SplitBlock block_;
  CollectiveCost gather_;
};

}  // namespace

std::optional<double> indexer_excess_ms(const IndexerMs& ms, int64_t cp_size) {
  if (!ms.scores || !ms.part_scores || !ms.selection || !ms.part_selection) return std::nullopt;
  const double cp = double(cp_size);
  return (*ms.scores / cp - *ms.part_scores) + (*ms.selection / cp - *ms.part_selection);
}

std::unique_ptr<const Pricer> split_pricer(std::unique_ptr<const Pricer> part, SplitBlock block,
                                           const Binding& binding) {
  if (!block.why_impossible.empty())
    return std::make_unique<FailedPricer>(Failure::perf_data_not_available, block.why_impossible);
  CollectiveCost gather = CollectiveCost::nccl("all_gather", QuantMode::half, block.cp_size, binding);
  return std::make_unique<SplitPricer>(std::move(part), std::move(block), std::move(gather));
}

}  // namespace perfatlas::aic
