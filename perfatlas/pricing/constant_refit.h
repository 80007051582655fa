// SPDX-License-Identifier: Apache-2.0
// How far the serving constants (serving/constants.h) are a fit to the rows they were chosen on: each group of
// published measurements is predicted with constants that were chosen without it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "perfatlas/estimate/silicon.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// The constants that a refit chooses anew, in the units of serving/constants.h.
struct RefitConstants {
  double request_path_ms = 0, prompt_path_ms = 0;  // the latter per 1,000 prompt tokens
  double hand_over_ms = 0;                         // of disaggregated pools
  // Host time per step. Nothing: no row of the other groups says.
  std::optional<double> vllm_ms, vllm_async_ms, sglang_ms, trtllm_ms;
  std::optional<double> stream_share;  // of SGLang's stream interval
};

/// What rows are left out by. Variants of one checkpoint are one model: DeepSeek, Qwen3-32B, Llama-3.1-8B.
enum class LeaveOutBy { model, engine, system };

template <>
inline constexpr auto kEnumNames<LeaveOutBy> = std::array{EnumName<LeaveOutBy>{LeaveOutBy::model, "model"},
                                                          EnumName<LeaveOutBy>{LeaveOutBy::engine, "engine"},
                                                          EnumName<LeaveOutBy>{LeaveOutBy::system, "system"}};

struct LeftOutGroup {
  std::string name;
  RefitConstants constants;  // chosen on all other groups
  std::vector<size_t> runs;  // of the group, as indices
};

struct LeaveOutResult {
  std::vector<LeftOutGroup> groups;       // by name
  std::vector<estimate::Answer> answers;  // one per run, from its group's constants
};

/// Predicts every run by the simulation. For each group the constants are those with the least mean of
/// |ln(predicted / measured)|, cut off at 1.1, over TTFT and TPOT of all answered runs outside the group, each constant
/// from a short list of values around the published one: the best of all combinations. An engine that no other run has
/// gets the median host time of the others and no stream share. Uses all cores; about a minute for 2,600 runs.
LeaveOutResult leave_groups_out(estimate::Session& session, const std::vector<estimate::SiliconRun>& runs,
                                LeaveOutBy by);

}  // namespace perfatlas
