// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/toy/toy.h"

namespace perfatlas {

Work Toy::work() const {
  const double bytes = double(count) * bytes_of(dtype);
  return {.flops = double(count), .activation_bytes_read = bytes, .bytes_written = bytes, .math = dtype};
}

Operands Toy::operands() const {
  return {{.name = "x", .role = OperandRole::activation, .dtype = dtype, .shape = {count}},
          {.name = "y",
           .role = OperandRole::output,
           .dtype = dtype,
           .shape = {count},
           .fill = Fill::none,
           .written = true}};
}

void Toy::reference(std::vector<HostOperand>& data) const {
  for (size_t i = 0; i < data[0].values.size(); ++i) data[1].values[i] = 2 * data[0].values[i];
}

void Toy::model_cases(const ModelShapes&, const CaseSink<Toy>& sink) {
  for (const int64_t tokens : kTokenLadder) sink({DType::f32, 1024 * tokens});
}

}  // namespace perfatlas
