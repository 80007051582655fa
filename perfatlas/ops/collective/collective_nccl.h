// SPDX-License-Identifier: Apache-2.0
// What the kernels between GPUs share.
#pragma once

#include "perfatlas/backends/nccl/nccl_device.h"
#include "perfatlas/ops/collective/collective.h"

namespace perfatlas {

/// Why a group of `ranks` ranks cannot be had, or empty.
std::string why_no_ranks(int64_t ranks, const NcclDevice& device);

/// What the ranks are told about a case and the kernel of that name.
template <class Op>
GroupCall group_call(const Op& op, std::string_view kernel) {
  static const OpType type = make_op_type<Op>();
  return {std::string(kernel), case_text(make_case(type, op)), int(op.ranks)};
}

/// Of one message over peer memory: beyond, the stages of the plain kernels alone take a gigabyte of every rank.
inline constexpr int64_t kMostPeerElements = int64_t(1) << 28;

/// The all-reduce kernels over peer memory: that of a library, and the plain ones.
void add_library_all_reduce(KernelRegistry& registry);
void add_peer_all_reduce(KernelRegistry& registry);

}  // namespace perfatlas
