// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/published_machine.h"

namespace perfatlas {

SystemSpec published_machine(const AicSystem& system, const OpType& op, const FieldValues& values) {
  SystemSpec spec{.system = system.name, .kind = "cuda"};
  spec.memory_bytes = system.mem_capacity;
  spec.power_limit_w = system.power_w;
  spec.sm_version = system.sm_version;
  spec.memory_bandwidth.datasheet = system.mem_bw;
  if (const auto ranks = op.find_field("num_gpus"))
    spec.memory_bandwidth.datasheet = system.bandwidth(values[*ranks]);
  for (const DType math : {DType::f32, DType::f16, DType::bf16, DType::int8, DType::fp8_e4m3, DType::fp4})
    if (system.has_flops(math)) spec.flops[math].datasheet = system.flops(math);
  return spec;
}

}  // namespace perfatlas
