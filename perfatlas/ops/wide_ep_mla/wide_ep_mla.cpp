// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/wide_ep_mla/wide_ep_mla.h"

#include "perfatlas/ops/mla/mla_geometry.h"

namespace perfatlas {
namespace {

constexpr double kHidden = 7168, kQueryLora = 1536;

/// Elements of the weights that every token is multiplied with.
double weights(const WideEpMlaCase& c) {
  return double(c.heads) * (kQueryLora * double(kMlaKey) + double(kMlaLatent * (kMlaNope + kMlaValue)) +
                            double(kMlaValue) * kHidden);
}

Work block_work(const WideEpMlaCase& c, double tokens, double attention_flops) {
  const QuantTraits quant = traits_of(c.dtype);
  constexpr double kRowBytes = 2;
  return {.flops = 2 * tokens * weights(c) + attention_flops,
          .weight_bytes_read = weights(c) * quant.weight_bytes,
          .activation_bytes_read = tokens * kHidden * kRowBytes,
          .kv_bytes_written = tokens * double(kMlaCached) * bytes_of(c.kv_dtype),
          .bytes_written = tokens * kHidden * kRowBytes,
          .math = quant.math};
}

}  // namespace

std::string_view WideEpMlaCase::why_invalid() const {
  if (heads < 1 || batch < 1 || isl < 1 || tp < 1)
    return "num_heads, batch_size, isl and tp_size must be positive";
  return step < 0 ? "step must not be negative" : std::string_view{};
}

Work WideEpContextMla::work() const {
  const auto full = double(step + isl), prefix = double(step), sequences = double(batch);
  const double pairs = (full * (full + 1) - prefix * (prefix + 1)) / 2;
  Work work = block_work(*this, sequences * double(isl),
                         2 * sequences * double(heads) * double(kMlaKey + kMlaValue) * pairs);
  work.kv_bytes_read = sequences * prefix * double(kMlaCached) * bytes_of(kv_dtype);
  return work;
}

Work WideEpGenerationMla::work() const {
  const double cached = double(batch) * double(isl + step);
  Work work = block_work(*this, double(batch), 2 * cached * double(heads) * double(kMlaLatent + kMlaCached));
  work.kv_bytes_read = cached * double(kMlaCached) * bytes_of(kv_dtype);
  return work;
}

}  // namespace perfatlas
