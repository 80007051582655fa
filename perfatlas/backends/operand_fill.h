// SPDX-License-Identifier: Apache-2.0
// Seeded content of operands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "perfatlas/schema/operand.h"

namespace perfatlas {

/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), seeded through
/// splitmix64: the same numbers on every machine.
class SeededNumbers {
 public:
  explicit SeededNumbers(uint64_t seed);
  uint64_t next();
  double uniform();  // [0, 1)
  float normal();    // mean 0, standard deviation 1

 private:
  uint64_t state_[4];
  float spare_ = 0;
  bool has_spare_ = false;
};

/// Content of one operand by its declared fill, rounded to its element type. Different names give different content
/// for the same seed. Fill::none leaves zeros. REQUIRES: whole bytes, whole blocks.
HostOperand make_host_operand(const Operand& declared, uint64_t seed);

/// The same content in another element type, rounded to it. REQUIRES: values, not indices.
HostOperand as_type(HostOperand content, DType dtype);

/// The bytes of an operand's content in its declared layout.
std::vector<std::byte> operand_bytes_of(const HostOperand& operand);

/// Bytes of `elements` seeded elements as Fill::normal has them (fp4 and int4: uniform bits). No value is subnormal.
std::vector<std::byte> random_elements(DType dtype, size_t elements, uint64_t seed);

}  // namespace perfatlas
