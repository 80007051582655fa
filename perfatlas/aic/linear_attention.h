// SPDX-License-Identifier: Apache-2.0
// What the kernels of mamba2, GDN and KDA tables share: a speed of light of bytes alone, and the rule that a shape that
// was not measured is priced at it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "perfatlas/aic/op_state_space.h"
#include "perfatlas/aic/pricer.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

/// Tokens, sequences and their length in one launch.
struct LinearLoad {
  double x = 1, batch = 1, seq = 1;
};

/// causal convolution of `channels` channels.
double convolution_bytes(double x, double channels, double width);

struct LinearQuestion {
  std::shared_ptr<const Surface>
      surface;  // over (batch, seq) in context and (batch) else; null: not measured
  SsmPhase phase = SsmPhase::context;
  int64_t seq_split = 1;     // ranks that share a prompt: none can
  int64_t draft_tokens = 0;  // verify
  std::function<double(const LinearLoad&)> bytes;
  double bandwidth = 1;
};

/// Silicon where the surface answers, in every mode; else the speed of light. sol_full fails, and so do prompts that
/// ranks share: aiconfigurator does not know how such kernels split.
std::unique_ptr<const Pricer> linear_pricer(LinearQuestion question, Mode mode);

/// The speed of light of a surface of that phase.
SolFunction linear_sol(SsmPhase phase, std::function<double(const LinearLoad&)> bytes, double bandwidth);

}  // namespace perfatlas::aic
