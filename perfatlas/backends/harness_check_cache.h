// SPDX-License-Identifier: Apache-2.0
// Whether a kernel uses its paged KV cache as declared. A relative error over a whole result does not notice one token
// of thousands that is left out; these checks do.
#pragma once

#include <vector>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_check_run.h"

namespace perfatlas {

/// What the checks start from: one run that was made already.
struct CacheEvidence {
  const Case& what;
  const Operands& operands;  // of the types that the kernel takes, as is `content`
  double tolerance;          // relative L2
  const std::vector<HostOperand>& content;
  const CheckRunResult& first;  // of `content`
  std::byte pattern;            // that outputs were filled with
  CheckRun& runner;
};

/// A cache is paged when the op has a Fill::page_table operand [sequences, pages per sequence] and the first extent of
/// the cache is its number of entries; the extent before the last is then the slots of a page:
/// [pages, ..., slots, width]. Three checks, each not applicable with a reason where the op has no such thing:
///   KV cache is read         another content gives another result
///   page table is followed   pages moved to other places, and the table with them, give the same result bit by bit,
///                            and new tokens are written to the moved pages
///   whole prefix is read     the first and the last cached token that is visible, and the last one that is not, are
///                            made 16 times as large, one at a time, in each cache: the result must still agree with
///                            the reference. (Not when the reference is too expensive for all of them.)
std::vector<HarnessCheck> check_cache(const CacheEvidence& evidence, uint64_t other_seed);

/// |values - expected| / |expected|, or |values - expected| when nothing is expected.
double relative_l2_error(const std::vector<float>& values, const std::vector<float>& expected);

/// What the reference makes of `content`, given the choices (Operand::choice) of the kernel in `after`.
/// REQUIRES: the op has a reference.
std::vector<HostOperand> reference_result(const Case& what, std::vector<HostOperand> content,
                                          const OperandBytes& after);

}  // namespace perfatlas
