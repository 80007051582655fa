// SPDX-License-Identifier: Apache-2.0
// Whether a kernel does what its op declares, on one case: contract checks and comparison with the reference.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/backends/kernel.h"

namespace perfatlas {

enum class Verdict { passed, failed, not_applicable };

struct HarnessCheck {
  std::string name;
  Verdict verdict = Verdict::failed;
  std::string detail;  // figures, what is wrong, or why it does not apply
};

/// Cases with more arithmetic than this are not compared with the (naive, single-threaded) reference.
inline constexpr double kMostReferenceFlops = 4e9;

/// What check_kernel() makes of a case: its arithmetic is too much for the reference, so that check_against_kernel() is
/// all that judges its numbers.
bool beyond_reference(const Case& what);

/// The results of `kernel` beside those of `other`, a kernel of the same op, on the same content: they may differ by
/// the sum of what each may differ from the reference. Indices that are a choice among near-equals are left out.
/// Throws OutOfMemory, or Error when a kernel or the device fails. REQUIRES: both support the case.
HarnessCheck check_against_kernel(const Case& what, const KernelEntry& kernel, const KernelEntry& other,
                                  uint64_t seed, Device& device);

/// Largest relative L2 error against the reference, by the coarsest floating-point type among the operands: rounding
/// of that type (2^-24, 2^-11, 2^-8, 2^-4) with room for a few roundings in a row and for another order of sums. Block
/// types: kernels round the other factor to 8-bit blocks, too, for which the largest of 32 normal values is about 2 and
/// of 256 about 2.8 standard deviations: an error of 0.005 to 0.007 (ggml's own test suite allows sqrt(5e-4) = 0.022).
double reference_tolerance(const Operands& operands);

/// Runs `kernel` on operands with their declared, seeded content, several times with changed inputs. Checks: output
/// shape and element type (every element written, nothing beyond the end), no NaN or infinity, not all zero, same
/// inputs same result, inputs not modified, against the reference, written KV cache, KV cache is read, page table is
/// followed, whole prefix is read (harness_check_cache.h), graph capture.
/// Floating-point results are judged by reference_tolerance(), int32 results (indices) exactly.
/// Throws OutOfMemory, or Error when the kernel or the device fails.
/// REQUIRES: why_unsupported is empty for the case.
std::vector<HarnessCheck> check_kernel(const Case& what, const KernelEntry& kernel, uint64_t seed,
                                       Device& device);

}  // namespace perfatlas
