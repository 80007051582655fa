// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/mamba2/linear_phase.h"

namespace perfatlas {
namespace {

/// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
uint64_t mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

Operand operand(std::string_view name, OperandRole role, DType dtype, std::vector<int64_t> shape) {
  return {.name = std::string(name), .role = role, .dtype = dtype, .shape = std::move(shape)};
}

}  // namespace

std::function<void(uint64_t seed, HostOperand& content)> uniform_between(double low, double high) {
  return [low, high](uint64_t seed, HostOperand& content) {
    for (size_t i = 0; i < content.values.size(); ++i) {
      const double unit = double(mixed(seed ^ mixed(i)) >> 11) * 0x1p-53;
      content.values[i] = float(low + (high - low) * unit);
    }
  };
}

Operand linear_input(std::string_view name, DType dtype, std::vector<int64_t> shape) {
  return operand(name, OperandRole::activation, dtype, std::move(shape));
}

Operand linear_weight(std::string_view name, DType dtype, std::vector<int64_t> shape) {
  Operand made = operand(name, OperandRole::weight, dtype, std::move(shape));
  made.fill = Fill::small;
  return made;
}

Operand linear_output(std::string_view name, DType dtype, std::vector<int64_t> shape) {
  Operand made = operand(name, OperandRole::output, dtype, std::move(shape));
  made.fill = Fill::none;
  made.written = true;
  return made;
}

Operand linear_state(std::string_view name, DType dtype, std::vector<int64_t> shape) {
  Operand made = operand(name, OperandRole::kv, dtype, std::move(shape));
  made.written = true;
  return made;
}

}  // namespace perfatlas
