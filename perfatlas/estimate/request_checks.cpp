// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/estimate/estimate.h"

namespace perfatlas::estimate {
namespace {

void check_positive(const char* flag, int64_t value) {
  if (value < 1) throw UsageError(fmt::format("{} is {}, it must be at least 1", flag, value));
}

void check_tokens(const char* flag, int64_t value) {
  check_positive(flag, value);
  if (value > kMostTokensAsked)
    throw UsageError(fmt::format("{} is {}, it must be at most {}", flag, value, kMostTokensAsked));
}

void check_pool(const Pool& pool, const std::string& prefix, bool with_workers) {
  if (!pool.batch)
    throw UsageError(fmt::format("--{}bs is missing: the requests at once on one worker", prefix));
  check_positive(fmt::format("--{}bs", prefix).c_str(), *pool.batch);
  if (with_workers && !pool.workers)
    throw UsageError(fmt::format("--{}workers is missing: the number of such workers", prefix));
  if (with_workers) check_positive(fmt::format("--{}workers", prefix).c_str(), *pool.workers);
  const auto& fraction = pool.limits.fraction;
  if (fraction && !(*fraction > 0 && *fraction <= 1))
    throw UsageError(
        fmt::format("the free GPU memory fraction is {}, it must be above 0 and at most 1", *fraction));
  if (pool.limits.max_seq_len) check_positive("--max-seq-len", *pool.limits.max_seq_len);
}

/// What the model was made for, or more where a worker of the request is told to take more.
int64_t longest_sequence(const EstimateRequest& request, const ModelSizes& sizes) {
  int64_t longest = sizes.max_context;
  for (const Pool* const pool : {&request.worker, &request.prefill, &request.decode})
    longest = std::max(longest, pool->limits.max_seq_len.value_or(0));
  return longest;
}

void check_workload(const Workload& w) {
  check_tokens("--isl", w.isl);
  check_tokens("--osl", w.osl);
  if (w.prefix < 0) throw UsageError(fmt::format("--prefix is {}, it must be at least 0", w.prefix));
  if (w.prefix >= w.isl)
    throw UsageError(
        fmt::format("--prefix {} leaves no new token of --isl {}; choose a smaller prefix", w.prefix, w.isl));
}

void check_drafts(const EstimateRequest& request) {
  const double accepted = request.workload.accepted;
  if (request.drafted_tokens < 0)
    throw UsageError(fmt::format("--nextn is {}, it must be at least 0", request.drafted_tokens));
  if (!std::isfinite(accepted) || accepted < 0 || accepted > double(request.drafted_tokens))
    throw UsageError(fmt::format("--nextn-accepted is {}, it must be between 0 and --nextn {}", accepted,
                                 request.drafted_tokens));
}

}  // namespace

void check_request(const EstimateRequest& request, const ModelSizes& sizes) {
  const Workload& w = request.workload;
  check_workload(w);
  if (w.isl > longest_sequence(request, sizes))
    throw UsageError(
        fmt::format("--isl {0} is beyond the model's context of {1} tokens; choose shorter prompts, or give "
                    "--max-seq-len {2} if the engine takes them",
                    w.isl, sizes.max_context, w.isl + w.osl));
  check_drafts(request);
  check_positive("--stride", request.stride);
  if (request.mode == ServingMode::disaggregated) {
    check_pool(request.prefill, "p-", true);
    check_pool(request.decode, "d-", true);
    return;
  }
  check_pool(request.worker, "", false);
  if (request.mode != ServingMode::aggregated) return;
  if (request.context_tokens) check_positive("--ctx-tokens", *request.context_tokens);
  const int64_t context_tokens = request.context_tokens.value_or(request.workload.isl);
  // Whole prompts in a step keep their cached part out of it; what is left must be at least one token.
  if (context_tokens / request.workload.isl > 0 && request.workload.prefix >= request.workload.isl)
    throw UsageError("--prefix leaves no new tokens in a step");
}

std::string context_warning(const EstimateRequest& request, const ModelSizes& sizes) {
  const Workload& w = request.workload;
  if (request.mode == ServingMode::static_context || w.isl + w.osl <= longest_sequence(request, sizes))
    return {};
  return fmt::format(
      "--isl {} and --osl {} need {} tokens, the model's context has {}: an engine would end such outputs "
      "early",
      w.isl, w.osl, w.isl + w.osl, sizes.max_context);
}

}  // namespace perfatlas::estimate
