// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/bind_memory.h"

#include "perfatlas/aic/roofline.h"

namespace perfatlas::aic {
namespace {

class MemoryPricer final : public Pricer {
 public:
  MemoryPricer(double bytes_per_token, int64_t scale_num_tokens, int64_t seq_split, const Binding& binding)
      : bytes_per_token_(bytes_per_token),
        scale_num_tokens_(scale_num_tokens),
        seq_split_(seq_split),
        speed_of_light_(binding.mode == Mode::sol || binding.mode == Mode::sol_full),
        system_(binding.system()) {}

  Price price(const PhasePoint& at) const override {
    const int64_t tokens = (at.tokens / scale_num_tokens_ + seq_split_ - 1) / seq_split_;
    const double bytes = bytes_per_token_ * double(tokens);
    if (speed_of_light_) return sol_price_of({.memory_ms = bytes / system_.mem_bw * 1e3});
    return {.latency_ms = memory_op_ms(system_, bytes), .source = Source::empirical};
  }
  std::string explain(const PhasePoint&) const override { return {}; }

 private:
  double bytes_per_token_;
  int64_t scale_num_tokens_, seq_split_;
  bool speed_of_light_;
  const AicSystem& system_;
};

}  // namespace

std::unique_ptr<const Pricer> bind(const Embedding& op, const Binding& binding) {
  return std::make_unique<MemoryPricer>(double(op.hidden_size) * profile_of(op.quant).bytes, 1, op.seq_split,
                                        binding);
}

std::unique_ptr<const Pricer> bind(const ElementWise& op, const Binding& binding) {
  return std::make_unique<MemoryPricer>(op.bytes_per_token, op.scale_num_tokens, op.seq_split, binding);
}

}  // namespace perfatlas::aic
