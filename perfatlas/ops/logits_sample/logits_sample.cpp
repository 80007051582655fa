// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/logits_sample/logits_sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace perfatlas {
namespace {

/// Fills with multiples of 2^-24 in [lowest, 1).
Operand uniform(std::string name, int64_t count, double lowest) {
  return {.name = std::move(name),
          .role = OperandRole::activation,
          .dtype = DType::f32,
          .shape = {count},
          .fill = Fill::custom,
          .content = [lowest](uint64_t seed, HostOperand& content) {
            std::mt19937_64 numbers(seed);
            for (float& value : content.values)
              value = float(lowest + (1 - lowest) * double(numbers() >> 41) * 0x1p-23);
          }};
}

int32_t draw(const float* logits, const LogitsSample& op, double top_p, double u) {
  std::vector<int32_t> order(size_t(op.vocab));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return logits[a] > logits[b]; });
  order.resize(size_t(op.topk));
  std::vector<double> running;
  double sum = 0;
  for (const int32_t id : order) running.push_back(sum += std::exp(double(logits[id]) - logits[order[0]]));
  const auto first_above = [&](auto exceeds) {
    const auto at = std::find_if(running.begin(), running.end() - 1, exceeds);
    return size_t(at - running.begin());
  };
  const size_t last = first_above([&](double mass) { return mass >= top_p * sum; });
  return order[first_above([&](double mass) { return mass > u * running[last]; })];
}

}  // namespace

std::string_view LogitsSample::why_invalid() const {
  if (batch < 1 || vocab < 1) return "batch and vocab must be positive";
  if (vocab > std::numeric_limits<int32_t>::max()) return "vocab must fit a 32-bit token id";
  if (topk < 1 || topk > vocab) return "topk must be at least 1 and at most vocab";
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    return "dtype must be float32, float16 or bfloat16";
  return {};
}

Work LogitsSample::work() const {
  const auto rows = double(batch);
  return {
      .activation_bytes_read = rows * (double(vocab) * bytes_of(dtype) + 2 * bytes_of(DType::f32)),
      .bytes_written = rows * bytes_of(DType::int32),
  };
}

Operands LogitsSample::operands() const {
  using enum OperandRole;
  return {
      {.name = "logits", .role = activation, .dtype = dtype, .shape = {batch, vocab}},
      uniform("top_p", batch, 0.5),
      uniform("u", batch, 0),
      {.name = "id",
       .role = output,
       .dtype = DType::int32,
       .shape = {batch},
       .fill = Fill::none,
       .written = true},
  };
}

void LogitsSample::reference(std::vector<HostOperand>& data) const {
  for (size_t row = 0; row < size_t(batch); ++row)
    data[3].indices[row] =
        draw(&data[0].values[row * size_t(vocab)], *this, data[1].values[row], data[2].values[row]);
}

void LogitsSample::model_cases(const ModelShapes& shapes, const CaseSink<LogitsSample>& sink) {
  for (const LogitsSample& shape : shapes.of<LogitsSample>())
    for (const int64_t batch : kBatchLadder) sink({shape.dtype, batch, shape.vocab, shape.topk});
}

}  // namespace perfatlas
