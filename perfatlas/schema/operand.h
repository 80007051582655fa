// SPDX-License-Identifier: Apache-2.0
// The buffers an op works on, declared once; the harness allocates, fills and rotates them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// What a buffer is to a serving step. It decides where the bytes are found in the `serving` cache state.
enum class OperandRole {
  weight,      // read-only parameters: streamed from memory
  kv,          // KV cache: streamed from memory; may also be written
  activation,  // input left warm by the previous op
  output,      // result; never read
};

/// Seeded content. Values are what a kernel sees, so that power and accuracy are realistic; never zeros.
enum class Fill {
  normal,      // normal(0, 1); int8: rounded normal(0, 32), int4: normal(0, 3)
  small,       // normal(0, 1/sqrt(last dimension)): weights, so that results stay of order one
  positive,    // uniform(0.5, 1.5): scales, norm weights
  page_table,  // a seeded permutation of 0 .. count-1 (int32)
  custom,      // what Operand::content writes: routing decisions, token ids, sequence lengths
  none,        // outputs: filled with a pattern that check can recognise as "never written"
};

template <>
inline constexpr auto kEnumNames<OperandRole> = std::array{
    EnumName<OperandRole>{OperandRole::weight, "weight"}, EnumName<OperandRole>{OperandRole::kv, "kv"},
    EnumName<OperandRole>{OperandRole::activation, "activation"},
    EnumName<OperandRole>{OperandRole::output, "output"}};

template <>
inline constexpr auto kEnumNames<Fill> =
    std::array{EnumName<Fill>{Fill::normal, "normal"},     EnumName<Fill>{Fill::small, "small"},
               EnumName<Fill>{Fill::positive, "positive"}, EnumName<Fill>{Fill::page_table, "page_table"},
               EnumName<Fill>{Fill::custom, "custom"},     EnumName<Fill>{Fill::none, "none"}};

struct HostOperand;

/// One buffer, dense and row-major in its declared shape. Kernels that want another layout repack in prepare.
struct Operand {
  std::string name;
  OperandRole role = OperandRole::activation;
  DType dtype = DType::bf16;
  std::vector<int64_t> shape;
  Fill fill = Fill::normal;
  bool written = false;  // true for outputs and for a KV cache or residual that the op updates
  /// Outputs of indices only: a decision between near-equals (which tokens, which experts) on which other results of
  /// the op depend. A check hands the reference the kernel's decision; the reference keeps it where it is as good as
  /// its own within rounding, and otherwise writes its own.
  bool choice = false;
  /// Fill::custom only: writes every value (or index) of `content`, which has its full size; floats are rounded to
  /// the dtype afterwards. The same seed gives the same content on every machine.
  std::function<void(uint64_t seed, HostOperand& content)> content = nullptr;

  int64_t elements() const {
    int64_t count = 1;
    for (const int64_t extent : shape) count *= extent;
    return count;
  }
  double bytes() const { return double(elements()) * bytes_of(dtype); }
};

using Operands = std::vector<Operand>;

/// An operand's content as the reference sees it: plain floats (or ints for int32), in the declared shape.
/// Values of narrow types are already rounded to that type.
struct HostOperand {
  Operand declared;
  std::vector<float> values;     // empty for int32
  std::vector<int32_t> indices;  // empty for other types
  /// Block types: the bytes that `values` were read from, because several encodings may hold nearly the same values.
  /// Of no account once the values are others.
  std::vector<std::byte> blocks = {};
};

}  // namespace perfatlas
