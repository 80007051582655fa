// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "perfatlas/ops/collective/collective_aic.h"
#include "perfatlas/ops/moe/moe_aic.h"

namespace perfatlas::aic {
namespace {

constexpr int kBlackwell = 100;         // the sm_version whose trtllm kernels quantise before they send
constexpr double kNvfp4Sent = 0.28125;  // of 16 bits: 4 bits and an 8-bit scale per 16 elements
constexpr double kFp8Sent = 0.5;

/// One collective of a dispatch: volume = tokens * hidden_size * scale elements.
struct Part {
  CollectiveCost cost;
  double scale = 1;
};

class Layout {
 public:
  Layout(const MoeDispatch& op, const Binding& binding) : op_(op), binding_(binding) {
    gpus_ = op.moe_tp_size * op.moe_ep_size;
    dp_ = op.attention_dp_size;
    attention_tp_ = std::max<int64_t>(1, gpus_ / dp_);
  }

  std::vector<Part> parts() {
    if (op_.backend == "vllm")
      vllm();
    else if (op_.backend == "sglang")
      sglang();
    else
      trtllm();
    return std::move(parts_);
  }

 private:
  bool pre() const { return op_.pre_dispatch; }

  void reduce(double scale = 1) { parts_.push_back({CollectiveCost::all_reduce(gpus_, binding_), scale}); }
  void nccl(const char* operation, int64_t gpus, double scale) {
    parts_.push_back({CollectiveCost::nccl(operation, QuantMode::half, gpus, binding_), scale});
  }
  /// Tokens of all data-parallel ranks to every rank, or their results back.
  void exchange(double sent) {
    if (pre())
      nccl("all_gather", gpus_, double(dp_) * sent);
    else
      nccl("reduce_scatter", gpus_, double(dp_));
  }

  void vllm() {
    if (attention_tp_ > 1 && !(pre() && op_.attn_ar_modeled)) reduce();
    if (dp_ > 1) exchange(1);
  }

  void sglang() {
    if (attention_tp_ > 1 && dp_ > 1) {
      if (pre()) nccl("reduce_scatter", attention_tp_, 1);
      exchange(1);
      if (!pre()) nccl("all_gather", attention_tp_, 1);
    } else if (op_.attn_cp_size > 1) {
      if (op_.context)
        nccl(pre() ? "all_gather" : "reduce_scatter", gpus_, 1);
      else if (!pre())
        reduce();
    } else if (attention_tp_ > 1) {
      reduce();
    } else if (dp_ > 1) {
      exchange(1);
    }
  }

  void trtllm() {
    const bool blackwell = binding_.system().sm_version == kBlackwell;
    if (blackwell && dp_ > 1)
      exchange(sent_share());
    else if (attention_tp_ > 1)
      reduce();
    else if (dp_ > 1)
      exchange(1);
  }

  double sent_share() const {
    if (op_.quant == QuantMode::nvfp4) return kNvfp4Sent;
    return op_.quant == QuantMode::fp8 || op_.quant == QuantMode::fp8_block ? kFp8Sent : 1;
  }

  const MoeDispatch& op_;
  const Binding& binding_;
  int64_t gpus_ = 1, dp_ = 1, attention_tp_ = 1;
  std::vector<Part> parts_;
};

class DispatchPricer final : public Pricer {
 public:
  DispatchPricer(const MoeDispatch& op, std::vector<Part> parts)
      : hidden_size_(op.hidden_size), parts_(std::move(parts)) {}

  Price price(const PhasePoint& at) const override {
    Price sum;  // measured, whatever its parts are
    for (const Part& part : parts_) {
      const Price price = part.cost.price(elements(at, part));
      if (!price.ok()) return price;
      sum.latency_ms += price.latency_ms;
      sum.provenance = std::max(sum.provenance, price.provenance);
    }
    return sum;
  }

  std::string explain(const PhasePoint& at) const override {
    for (const Part& part : parts_)
      if (const std::string why = part.cost.explain(elements(at, part)); !why.empty()) return why;
    return {};
  }

  Ground ground(const PhasePoint& at) const override {
    if (!price(at).ok()) return {};
    std::vector<Ground> grounds;
    for (const Part& part : parts_) grounds.push_back(part.cost.ground(elements(at, part)));
    return combined(grounds);
  }

 private:
  double elements(const PhasePoint& at, const Part& part) const {
    return double(at.tokens * hidden_size_) * part.scale;
  }

  int64_t hidden_size_;
  std::vector<Part> parts_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const MoeDispatch& op, const Binding& binding) {
  std::vector<Part> parts = Layout(op, binding).parts();
  const auto sends = [](const Part& part) { return !part.cost.is_alone(); };
  if (binding.mode == Mode::sol_full && std::any_of(parts.begin(), parts.end(), sends))
    return std::make_unique<FailedPricer>(Failure::sol_not_implemented, "a sum of collectives has no parts");
  return std::make_unique<DispatchPricer>(op, std::move(parts));
}

}  // namespace perfatlas::aic
