// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/operand_fill.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"

namespace perfatlas {
namespace {

constexpr float kInt8Deviation = 32, kInt4Deviation = 3;  // Fill::normal for integers
constexpr float kFp4Deviation = 2;                        // and for fp4, whose values end at 6
constexpr float kSmallestHalf = 0x1p-14f;

float scale_of(const Operand& declared) {
  if (declared.dtype == DType::int8) return kInt8Deviation;
  if (declared.dtype == DType::int4) return kInt4Deviation;
  if (declared.dtype == DType::fp4) return kFp4Deviation;
  if (declared.fill == Fill::small && !declared.shape.empty())
    return float(1 / std::sqrt(double(declared.shape.back())));
  return 1;
}

/// Makes `values` what the element type holds.
void round_values(HostOperand& operand) {
  const DType dtype = operand.declared.dtype;
  std::vector<std::byte> bytes = encode_elements(dtype, operand.values);
  operand.values = decode_elements(dtype, bytes);
  if (is_block_type(dtype)) operand.blocks = std::move(bytes);
}

std::vector<int32_t> permutation(size_t count, SeededNumbers& numbers) {
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[numbers.next() % i]);
  return order;
}

}  // namespace

SeededNumbers::SeededNumbers(uint64_t seed) {
  for (uint64_t& word : state_) {
    uint64_t z = (seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t SeededNumbers::next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double SeededNumbers::uniform() { return double(next() >> 11) * 0x1p-53; }

float SeededNumbers::normal() {
  if (std::exchange(has_spare_, false)) return spare_;
  double u, v, square;
  do {  // Marsaglia's polar method
    u = 2 * uniform() - 1;
    v = 2 * uniform() - 1;
    square = u * u + v * v;
  } while (square >= 1 || square == 0);
  const double factor = std::sqrt(-2 * std::log(square) / square);
  spare_ = float(v * factor);
  has_spare_ = true;
  return float(u * factor);
}

HostOperand make_host_operand(const Operand& declared, uint64_t seed) {
  SeededNumbers numbers(combine_hashes(hash64(declared.name), seed));
  HostOperand operand{declared, {}, {}};
  const auto count = size_t(declared.elements());
  if (declared.fill == Fill::custom) {
    if (declared.dtype == DType::int32)
      operand.indices.resize(count);
    else
      operand.values.resize(count);
    declared.content(combine_hashes(hash64(declared.name), seed), operand);
    if (declared.dtype != DType::int32) round_values(operand);
    return operand;
  }
  if (declared.dtype == DType::int32) {
    operand.indices =
        declared.fill == Fill::page_table ? permutation(count, numbers) : std::vector<int32_t>(count);
    return operand;
  }
  operand.values.resize(count);
  if (declared.fill == Fill::none) return operand;
  const float scale = scale_of(declared);
  for (float& value : operand.values)
    value = declared.fill == Fill::positive ? float(0.5 + numbers.uniform()) : scale * numbers.normal();
  round_values(operand);
  return operand;
}

HostOperand as_type(HostOperand content, DType dtype) {
  if (content.declared.dtype == dtype) return content;
  content.declared.dtype = dtype;
  content.blocks.clear();
  round_values(content);
  return content;
}

std::vector<std::byte> operand_bytes_of(const HostOperand& operand) {
  if (!operand.blocks.empty() && decode_elements(operand.declared.dtype, operand.blocks) == operand.values)
    return operand.blocks;
  if (operand.declared.dtype != DType::int32) return encode_elements(operand.declared.dtype, operand.values);
  std::vector<std::byte> bytes(operand.indices.size() * sizeof(int32_t));
  std::memcpy(bytes.data(), operand.indices.data(), bytes.size());
  return bytes;
}

std::vector<std::byte> random_elements(DType dtype, size_t elements, uint64_t seed) {
  SeededNumbers numbers(combine_hashes(hash64(name_of(dtype)), seed));
  if (dtype == DType::int32 || dtype == DType::int4 || dtype == DType::fp4) {
    std::vector<std::byte> bytes(size_t(double(elements) * bytes_of(dtype)));
    for (std::byte& byte : bytes) byte = std::byte(numbers.next());
    return bytes;
  }
  std::vector<float> values(elements);
  for (float& value : values) {
    value = numbers.normal() * (dtype == DType::int8 ? kInt8Deviation : 1);
    if (dtype == DType::f16 && std::fabs(value) < kSmallestHalf) value = kSmallestHalf;
  }
  return encode_elements(dtype, values);
}

}  // namespace perfatlas
