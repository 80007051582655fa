// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mhc/mhc.h"

namespace perfatlas {
namespace {

constexpr int64_t kPublishedTokens[] = {1,     2,     4,     8,     16,    32,     48,     64,    80,
                                        96,    128,   160,   192,   256,   320,    384,    512,   768,
                                        1024,  1536,  2048,  3072,  4096,  6144,   8192,   12288, 16384,
                                        20480, 32768, 49152, 65536, 98304, 131072, 262144, 524288};

Operand made(std::string_view name, OperandRole role, DType dtype, std::vector<int64_t> shape, Fill fill) {
  return {.name = std::string(name),
          .role = role,
          .dtype = dtype,
          .shape = std::move(shape),
          .fill = fill,
          .written = role == OperandRole::output};
}

}  // namespace

std::string_view Mhc::why_invalid() const {
  if (tokens < 1 || sites < 1 || hc < 1 || hidden < 1)
    return "num_tokens, num_sites, hc_mult and hidden_size must be positive";
  if (sinkhorn < 1) return "sinkhorn_iters must be positive";
  return {};
}

Work Mhc::work() const {
  const auto rows = double(sites) * double(tokens), n = double(hc), h = double(hidden), m = double(mix());
  if (direction == MhcDirection::post)
    return {.flops = rows * 2 * n * h * (n + 1),
            .activation_bytes_read = rows * (2 * (n * h + h) + 4 * (n + n * n)),
            .bytes_written = rows * 2 * n * h,
            .math = DType::bf16};
  return {.flops = rows * (2 * n * h * m + 3 * n * h + (n * n + 2 * n) * double(sinkhorn) + 2 * n * h),
          .weight_bytes_read = double(sites) * (2 * m * n * h + 4 * (m + 3)),
          .activation_bytes_read = rows * 2 * n * h,
          .bytes_written = rows * (2 * h + 4 * (n + n * n)),
          .math = DType::bf16};
}

Operands Mhc::operands() const {
  using enum OperandRole;
  using enum DType;
  const Operand x = made("x", activation, bf16, {sites, tokens, hc, hidden}, Fill::normal);
  Operand post = made("post", output, f32, {sites, tokens, hc}, Fill::none);
  Operand res = made("res", output, f32, {sites, tokens, hc, hc}, Fill::none);
  if (direction == MhcDirection::pre)
    return {x,
            made("phi", weight, bf16, {sites, mix(), hc * hidden}, Fill::small),
            made("scale", weight, f32, {sites, 3}, Fill::small),
            made("base", weight, f32, {sites, mix()}, Fill::small),
            made("y", output, bf16, {sites, tokens, hidden}, Fill::none),
            post,
            res};
  for (Operand* input : {&post, &res}) {
    input->role = activation;
    input->fill = Fill::positive;
    input->written = false;
  }
  return {x, made("f", activation, bf16, {sites, tokens, hidden}, Fill::normal), post, res,
          made("out", output, bf16, {sites, tokens, hc, hidden}, Fill::none)};
}

void Mhc::model_cases(const ModelShapes& shapes, const CaseSink<Mhc>& sink) {
  for (Mhc op : shapes.of<Mhc>())
    for (const int64_t tokens : kTokenLadder) {
      op.tokens = tokens;
      sink(op);
    }
}

void Mhc::aic_cases(const AicGrid& grid, const CaseSink<Mhc>& sink) {
  if (grid.framework == AicFramework::sglang) return;
  for (const MhcDirection direction : {MhcDirection::pre, MhcDirection::post})
    for (const int64_t hidden : {4096, 7168})
      for (const int64_t tokens : kPublishedTokens)
        sink({.direction = direction, .tokens = tokens, .hidden = hidden});
}

}  // namespace perfatlas
