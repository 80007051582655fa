// SPDX-License-Identifier: Apache-2.0
// Linear-attention and state-space kernels, named as in the tables (kernel_source).
#pragma once

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

enum class SsmPhase { context, generation, verify };  // verify: several drafted tokens at once

struct Mamba2 : OpBase {
  std::string kernel_source;
  SsmPhase phase = SsmPhase::context;
  int64_t d_model = 0;
  int64_t nheads = 0, head_dim = 0, d_state = 0, d_conv = 4, n_groups = 1, chunk_size = 0;
  int64_t seq_split = 1;
};

/// Gated delta net.
struct Gdn : OpBase {
  std::string kernel_source;
  SsmPhase phase = SsmPhase::context;
  int64_t d_model = 0, d_conv = 4;
  int64_t num_k_heads = 0, head_k_dim = 0, num_v_heads = 0, head_v_dim = 0;
  std::string state_dtype = "float32";  // of the recurrent state: float32, bfloat16, float16
  int64_t seq_split = 1;
};

/// Kimi delta attention.
struct Kda : OpBase {
  std::string kernel_source;
  SsmPhase phase = SsmPhase::context;
  int64_t d_model = 0, d_conv = 4;
  int64_t num_k_heads = 0, head_k_dim = 0, num_v_heads = 0, head_v_dim = 0;
  int64_t draft_tokens = 0;  // verify: tokens checked at once
  int64_t seq_split = 1;
};

}  // namespace perfatlas::aic
