// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "perfatlas/ops/gemm/gemm_grid.h"

namespace perfatlas {
namespace {

Operand input_of(const QuantizeShape& s) {
  return {.name = "x", .role = OperandRole::activation, .dtype = DType::bf16, .shape = {s.m, s.k}};
}

/// Scales as compute_scale finds them for normal(0, 1) elements: the largest of many is 3 to 5, so that few saturate.
Operand given_scales(const QuantizeShape& s) {
  return {.name = "scale",
          .role = OperandRole::activation,
          .dtype = DType::f32,
          .shape = s.scale_shape(),
          .fill = Fill::custom,
          .content = [largest = s.largest()](uint64_t seed, HostOperand& content) {
            std::mt19937_64 numbers(seed);
            for (float& scale : content.values)
              scale = float((3 + 2 * double(numbers() >> 41) * 0x1p-23) / largest);
          }};
}

double input_bytes(const QuantizeShape& s) { return double(s.m) * double(s.k) * bytes_of(DType::bf16); }
double scale_bytes(const QuantizeShape& s) { return double(s.scales()) * bytes_of(DType::f32); }

/// Number of the scale of each element.
size_t scale_at(const QuantizeShape& s, size_t row, size_t column) {
  return s.grouped() ? row * size_t(s.groups()) + column / size_t(s.group()) : 0;
}

template <class Op>
void emit_model_cases(const ModelShapes& shapes, const CaseSink<Op>& sink) {
  for (const Op& shape : shapes.of<Op>())
    for (const int64_t m : kTokenLadder) sink({m, shape.k, shape.dtype});
}

template <class Op>
void emit_aic_cases(const AicGrid& grid, const CaseSink<Op>& sink) {
  if (grid.sm_version <= 86) return;
  for (const int64_t m : aic_gemm_tokens())
    for (const int64_t k : kAicGemmFeatures) sink({m, k, Quant::fp8});
}

}  // namespace

std::vector<int64_t> QuantizeShape::scale_shape() const {
  if (grouped()) return {m, groups()};
  return {1};
}

std::string_view QuantizeShape::why_invalid() const {
  if (m < 1 || k < 1) return "m and k must be positive";
  if (quant != Quant::fp8 && quant != Quant::int8 && !grouped())
    return "quant_dtype must be fp8, int8, fp8_rowwise or fp8_block";
  return {};
}

Work ComputeScale::work() const {
  return {.activation_bytes_read = input_bytes(shape()), .bytes_written = scale_bytes(shape())};
}

Operands ComputeScale::operands() const {
  return {
      input_of(shape()),
      {.name = "scale",
       .role = OperandRole::output,
       .dtype = DType::f32,
       .shape = shape().scale_shape(),
       .fill = Fill::none,
       .written = true},
  };
}

void ComputeScale::reference(std::vector<HostOperand>& data) const {
  std::vector<float>& scales = data[1].values;
  std::fill(scales.begin(), scales.end(), float(kSmallestScale));
  for (size_t i = 0; i < data[0].values.size(); ++i) {
    float& scale = scales[scale_at(shape(), i / size_t(k), i % size_t(k))];
    scale = std::max(scale, float(std::fabs(double(data[0].values[i])) / shape().largest()));
  }
}

void ComputeScale::model_cases(const ModelShapes& shapes, const CaseSink<ComputeScale>& sink) {
  emit_model_cases(shapes, sink);
}

void ComputeScale::aic_cases(const AicGrid& grid, const CaseSink<ComputeScale>& sink) {
  emit_aic_cases(grid, sink);
}

Work ScaleMatrix::work() const {
  return {.activation_bytes_read = input_bytes(shape()) + scale_bytes(shape()),
          .bytes_written = double(m) * double(k) * bytes_of(shape().stored())};
}

Operands ScaleMatrix::operands() const {
  return {
      input_of(shape()),
      given_scales(shape()),
      {.name = "q",
       .role = OperandRole::output,
       .dtype = shape().stored(),
       .shape = {m, k},
       .fill = Fill::none,
       .written = true},
  };
}

/// fp8 is left unrounded: the check's tolerance is that of the type.
void ScaleMatrix::reference(std::vector<HostOperand>& data) const {
  const double largest = shape().largest();
  const double smallest = dtype == Quant::int8 ? -128 : -largest;
  for (size_t i = 0; i < data[0].values.size(); ++i) {
    const double scale = data[1].values[scale_at(shape(), i / size_t(k), i % size_t(k))];
    const double quotient = std::clamp(double(data[0].values[i]) / scale, smallest, largest);
    data[2].values[i] = float(dtype == Quant::int8 ? std::nearbyint(quotient) : quotient);
  }
}

void ScaleMatrix::model_cases(const ModelShapes& shapes, const CaseSink<ScaleMatrix>& sink) {
  emit_model_cases(shapes, sink);
}

void ScaleMatrix::aic_cases(const AicGrid& grid, const CaseSink<ScaleMatrix>& sink) {
  emit_aic_cases(grid, sink);
}

}  // namespace perfatlas
