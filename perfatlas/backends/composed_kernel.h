// SPDX-License-Identifier: Apache-2.0
// A kernel made of other ops' kernels: a whole block (projections, norms, attention) as one op.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

/// A place in a composition: an operand of the composed op, or an intermediate buffer of its own.
struct ComposedBuffer {
  enum class Kind { operand, scratch };
  Kind kind = Kind::operand;
  size_t index = 0;        // position among the declared operands, or the number of the scratch buffer
  size_t byte_offset = 0;  // where in it the step's operand begins: whole rows of a dense buffer

  static ComposedBuffer operand(size_t index, size_t byte_offset = 0) {
    return {Kind::operand, index, byte_offset};
  }
  static ComposedBuffer scratch(size_t index, size_t byte_offset = 0) {
    return {Kind::scratch, index, byte_offset};
  }
};

/// One op of a composition.
struct ComposedStep {
  Case what;
  std::vector<ComposedBuffer> operands;  // one per operand that `what` declares, in order
};

/// A small movement of data between ops that is no op of its own (splitting a fused projection's columns). Runs where
/// the kernels run: on a CPU in the calling thread, on a GPU it enqueues.
struct ComposedGlue {
  std::vector<ComposedBuffer> operands;
  std::vector<size_t> bytes;  // bytes needed from each place on, so that scratch buffers are large enough
  std::function<void(Stream, std::span<void* const>)> run;
};

using ComposedPart = std::variant<ComposedStep, ComposedGlue>;

struct Composition {
  std::vector<ComposedPart> parts;          // in execution order
  const KernelRegistry* kernels = nullptr;  // where each step's kernel comes from; used by the calls only
  std::string_view backend;                 // only kernels of this back end
};

/// Why a step has no kernel on the device: "rms_norm: perfatlas_fused_loop: no CPU kernel normalises float16". Empty:
/// all have one. A step that makes no sense (why_invalid) is a reason, too.
std::string why_uncomposable(const Composition& composition, const Device& device);

/// Each step by the best kernel that supports it. Weights that a step's kernel packs are packed once, as operands of
/// the composed op; contents are told to every step whose operand begins where that of the composed op does. Throws
/// Error when a step has no kernel, when the number of its bindings is wrong, when two steps want one operand in
/// different layouts, or when a kernel wants a scratch buffer or a part of an operand packed.
std::unique_ptr<PreparedKernel> compose(const Composition& composition, Device& device);

}  // namespace perfatlas
