// SPDX-License-Identifier: Apache-2.0
// Every op that the compatible engine prices. A model is a list of these.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "perfatlas/aic/op_attention.h"
#include "perfatlas/aic/op_comm.h"
#include "perfatlas/aic/op_gemm.h"
#include "perfatlas/aic/op_memory.h"
#include "perfatlas/aic/op_mla.h"
#include "perfatlas/aic/op_moe.h"
#include "perfatlas/aic/op_sparse.h"
#include "perfatlas/aic/op_state_space.h"

namespace perfatlas::aic {

struct Op;

/// Two groups on parallel streams: the slower one counts, energies add up.
struct Overlap {
  static constexpr OpClasses<1> kClasses{"OverlapOp"};
  std::string name;
  std::vector<Op> group_a, group_b;
};

/// The first group as measured; where its data is missing, the sum of the second, priced in the view's own mode.
struct Fallback {
  static constexpr OpClasses<1> kClasses{"FallbackOp"};
  std::string name;
  std::vector<Op> primary, fallback;
};

struct Op {
  using Value =
      std::variant<Gemm, ContextAttention, GenerationAttention, EncoderAttention, ContextMla, GenerationMla,
                   MlaBmm, MlaModule, WideEpMla, DsaModule, MsaModule, Dsv4Attention, Mhc, Moe, MoeDispatch,
                   MoeAllToAll, ExpertCompute, MegaMoe, CustomAllReduce, Nccl, P2p, Embedding, ElementWise,
                   Quantize, Mamba2, Gdn, Kda, Overlap, Fallback>;
  Value value;

  const std::string& name() const;
  /// How many times the price of `other` this op costs everywhere: the ratio of their scale_factors where nothing else
  /// tells them apart but the name. Nothing for other pairs, for composed ops, and where `other` counts zero times.
  std::optional<double> multiple_of(const Op& other) const;
};

}  // namespace perfatlas::aic
