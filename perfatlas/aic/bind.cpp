// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/bind.h"

#include "perfatlas/aic/bind_composite.h"
#include "perfatlas/aic/bind_memory.h"
#include "perfatlas/ops/attention/attention_aic.h"
#include "perfatlas/ops/collective/collective_aic.h"
#include "perfatlas/ops/dsa/dsa_aic.h"
#include "perfatlas/ops/dsv4/dsv4_aic.h"
#include "perfatlas/ops/encoder_attention/encoder_attention_aic.h"
#include "perfatlas/ops/gdn/gdn_aic.h"
#include "perfatlas/ops/gemm/gemm_aic.h"
#include "perfatlas/ops/kda/kda_aic.h"
#include "perfatlas/ops/mamba2/mamba2_aic.h"
#include "perfatlas/ops/mhc/mhc_aic.h"
#include "perfatlas/ops/mla/mla_aic.h"
#include "perfatlas/ops/mla_bmm/mla_bmm_aic.h"
#include "perfatlas/ops/mla_module/mla_module_aic.h"
#include "perfatlas/ops/moe/moe_aic.h"
#include "perfatlas/ops/moe_comm/moe_comm_aic.h"
#include "perfatlas/ops/msa/msa_aic.h"
#include "perfatlas/ops/quantize/quantize_aic.h"
#include "perfatlas/ops/wide_ep_mla/wide_ep_mla_aic.h"
#include "perfatlas/ops/wide_ep_moe/wide_ep_moe_aic.h"

namespace perfatlas::aic {
namespace {

class ScaledPricer final : public Pricer {
 public:
  ScaledPricer(std::unique_ptr<const Pricer> one, double factor) : one_(std::move(one)), factor_(factor) {}
  Price price(const PhasePoint& at) const override {
    Price price = one_->price(at);
    price *= factor_;
    return price;
  }
  std::string explain(const PhasePoint& at) const override { return one_->explain(at); }
  Ground ground(const PhasePoint& at) const override { return one_->ground(at); }
  std::optional<MoeCommFallback> comm_fallback() const override { return one_->comm_fallback(); }

 private:
  std::unique_ptr<const Pricer> one_;
  double factor_;
};

}  // namespace

std::unique_ptr<const Pricer> bind_op(const Op& op, const Binding& binding) {
  return std::visit(
      [&](const auto& value) -> std::unique_ptr<const Pricer> {
        std::unique_ptr<const Pricer> pricer = bind(value, binding);
        if constexpr (requires { value.scale_factor; })
          if (value.scale_factor != 1)
            return std::make_unique<ScaledPricer>(std::move(pricer), value.scale_factor);
        return pricer;
      },
      op.value);
}

}  // namespace perfatlas::aic
