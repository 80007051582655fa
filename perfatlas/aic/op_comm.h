// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

/// The tensor-parallel sum of a serving framework: ceil(tokens / seq_split) * hidden_size elements of 16 bits.
struct CustomAllReduce : OpBase {
  static constexpr OpClasses<1> kClasses{"CustomAllReduce"};
  int64_t hidden_size = 0;
  int64_t tp_size = 1;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("h", op.hidden_size);
    f.required("tp_size", op.tp_size);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const CustomAllReduce&) const = default;
};

/// A collective of NCCL (or oneCCL): tokens * elements_per_token elements.
struct Nccl : OpBase {
  static constexpr OpClasses<1> kClasses{"NCCL"};
  std::string operation;  // all_gather, all_reduce, reduce_scatter, alltoall
  double elements_per_token = 0;
  int64_t num_gpus = 1;
  QuantMode dtype = QuantMode::half;  // half, int8, fp8
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("nccl_op", op.operation);
    f.required("num_elements_per_token", op.elements_per_token);
    f.required("num_gpus", op.num_gpus);
    f.required("comm_quant_mode", op.dtype, QuantKind::comm);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const Nccl&) const = default;
};

/// Between pipeline stages: tokens * hidden_size elements of 16 bits.
struct P2p : OpBase {
  static constexpr OpClasses<1> kClasses{"P2P"};
  int64_t hidden_size = 0;
  int64_t pp_size = 1;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("h", op.hidden_size);
    f.required("pp_size", op.pp_size);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const P2p&) const = default;
};

}  // namespace perfatlas::aic
