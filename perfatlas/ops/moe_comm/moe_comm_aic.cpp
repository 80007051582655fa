// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe_comm/moe_comm_aic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "perfatlas/ops/moe_comm/moe_comm_aic_table.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kHighThroughput = "deepep_ht";
constexpr int64_t kOneNodeSms = 20;
constexpr int64_t kDeepEpNode = 8;

/// Backends that a framework prices from one node when a larger group was not measured.
bool falls_back_to_one_node(std::string_view framework, std::string_view backend) {
  if (backend == "deepep_ht" || backend == "deepep_ll") return true;
  return framework != "sglang" && (backend == "trtllm_deepep_ht" || backend == "trtllm_deepep_ll");
}

class AllToAllPricer final : public Pricer {
 public:
  AllToAllPricer(const MoeAllToAll& op, const Binding& binding)
      : op_(op), mode_(binding.mode), table_(binding.family<AllToAllTable>()) {
    shape_ = {op.comm_backend, op.phase,      table_.known_dtype(op.comm_backend, op.phase, op.comm_dtype),
              op.moe_ep_size,  op.node_num,   op.hidden_size,
              op.topk,         op.num_experts};
    const std::string& framework = binding.database.backend();
    if (!table_.has(shape_) && op.node_num > 1 && falls_back_to_one_node(framework, op.comm_backend)) {
      AllToAllShape one = shape_;
      one.ep = framework == "sglang" ? kDeepEpNode : binding.system().gpus_per_node;
      one.nodes = 1;
      if (table_.has(one)) {
        fallback_ = {op.moe_ep_size, op.node_num, one.ep, 1};
        shape_ = one;
      }
    }
    const bool split = op.comm_backend == kHighThroughput && !(shape_.nodes == 1 && op.sms == kOneNodeSms);
    if (!split) curve_ = table_.curve(shape_, op.sms);
    if (curve_) return;
    grid_ = table_.grid(shape_);
    if (op.comm_backend != kHighThroughput) return;
    AllToAllShape other = shape_;
    other.phase = op.phase == "dispatch" ? "combine" : "dispatch";
    other_ = table_.grid(other);
    combined_ = table_.sum_grid(shape_, other);
  }

  Price price(const PhasePoint& at) const override {
    if (mode_ != Mode::silicon && mode_ != Mode::hybrid)
      return Price::failed(Failure::empirical_not_implemented);
    Price price = measured(at.tokens / op_.attention_tp_size);
    if (!price.ok())
      return mode_ == Mode::hybrid && !table_.empty() ? Price::failed(Failure::empirical_not_implemented)
                                                      : price;
    price.energy_mj = 0;
    if (fallback_) price.source = Source::estimated;
    return price;
  }

  std::string explain(const PhasePoint& at) const override {
    if (mode_ != Mode::silicon && mode_ != Mode::hybrid)
      return "all-to-all has no estimate; use mode SILICON";
    if (price(at).ok()) return {};
    return table_.why_missing(shape_);
  }

  Ground ground(const PhasePoint& at) const override {
    if (!price(at).ok()) return {};
    const int64_t tokens = at.tokens / op_.attention_tp_size;
    return curve_ ? curve_->ground({tokens}) : grid_->ground({op_.sms, tokens});
  }

  std::optional<MoeCommFallback> comm_fallback() const override { return fallback_; }

 private:
  Price measured(int64_t tokens) const {
    if (curve_) return curve_->price({tokens});
    if (!grid_) return Price::failed(Failure::perf_data_not_available);
    Price price = grid_->price({op_.sms, tokens});
    if (op_.comm_backend != kHighThroughput || !price.ok()) return price;
    if (!other_ || !combined_) return Price::failed(Failure::perf_data_not_available);
    const Price other = other_->price({op_.sms, tokens}), both = combined_->price({op_.sms, tokens});
    if (!other.ok()) return other;
    if (!both.ok()) return both;
    price *= both.latency_ms / (price.latency_ms + other.latency_ms);
    return price;
  }

  MoeAllToAll op_;
  Mode mode_;
  const AllToAllTable& table_;
  AllToAllShape shape_;
  std::shared_ptr<const Surface> curve_, grid_, other_, combined_;
  std::optional<MoeCommFallback> fallback_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const MoeAllToAll& op, const Binding& binding) {
  return std::make_unique<AllToAllPricer>(op, binding);
}

}  // namespace perfatlas::aic
