// SPDX-License-Identifier: Apache-2.0
// Linear-attention and state-space kernels, named as in the tables (kernel_source).
#pragma once

#include <string_view>
#include <utility>

#include "perfatlas/aic/op_base.h"

namespace perfatlas::aic {

enum class SsmPhase { context, generation, verify };  // verify: several drafted tokens at once
constexpr std::pair<std::string_view, SsmPhase> kSsmPhases[] = {
    {"context", SsmPhase::context}, {"generation", SsmPhase::generation}, {"verify", SsmPhase::verify}};

struct Mamba2 : OpBase {
  static constexpr OpClasses<1> kClasses{"Mamba2Kernel"};
  std::string kernel_source;
  SsmPhase phase = SsmPhase::context;
  int64_t d_model = 0;
  int64_t nheads = 0, head_dim = 0, d_state = 0, d_conv = 4, n_groups = 1, chunk_size = 0;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("kernel_source", op.kernel_source);
    f.choice("phase", op.phase, kSsmPhases);
    f.required("hidden_size", op.d_model);
    f.required("nheads", op.nheads);
    f.required("head_dim", op.head_dim);
    f.required("d_state", op.d_state);
    f.required("d_conv", op.d_conv);
    f.required("n_groups", op.n_groups);
    f.required("chunk_size", op.chunk_size);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const Mamba2&) const = default;
};

/// Delta rules: heads of keys and of values.
struct DeltaRule : OpBase {
  std::string kernel_source;
  SsmPhase phase = SsmPhase::context;
  int64_t d_model = 0, d_conv = 4;
  int64_t num_k_heads = 0, head_k_dim = 0, num_v_heads = 0, head_v_dim = 0;
  int64_t seq_split = 1;

  static void fields(auto& op, auto& f) {
    f.required("kernel_source", op.kernel_source);
    f.choice("phase", op.phase, kSsmPhases);
    f.required("d_model", op.d_model);
    f.required("num_k_heads", op.num_k_heads);
    f.required("head_k_dim", op.head_k_dim);
    f.required("num_v_heads", op.num_v_heads);
    f.required("head_v_dim", op.head_v_dim);
    f.required("d_conv", op.d_conv);
    f.optional("seq_split", op.seq_split);
  }
  bool operator==(const DeltaRule&) const = default;
};

/// Gated delta net.
struct Gdn : DeltaRule {
  static constexpr OpClasses<1> kClasses{"GDNKernel"};
  std::string state_dtype = "float32";  // of the recurrent state: float32, bfloat16, float16

  static void fields(auto& op, auto& f) {
    DeltaRule::fields(op, f);
    f.optional("mamba_ssm_dtype", op.state_dtype);
  }
  bool operator==(const Gdn&) const = default;
};

/// Kimi delta attention.
struct Kda : DeltaRule {
  static constexpr OpClasses<1> kClasses{"KDAKernel"};
  int64_t draft_tokens = 0;  // verify: tokens checked at once

  static void fields(auto& op, auto& f) {
    DeltaRule::fields(op, f);
    f.optional("draft_tokens", op.draft_tokens);
  }
  bool operator==(const Kda&) const = default;
};

}  // namespace perfatlas::aic
