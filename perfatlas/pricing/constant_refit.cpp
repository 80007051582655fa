// SPDX-License-Identifier: Apache-2.0
// The constants are few and most touch one engine only, so every run is simulated once per combination of those that
// touch it. The sum of errors then splits by engine, and the best of all combinations is found exactly.
#include "perfatlas/pricing/constant_refit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/pricing/silicon_simulation.h"
#include "perfatlas/serving/constants.h"
#include "perfatlas/serving/request_path.h"

namespace perfatlas {
namespace {

constexpr double kMostLogError = 1.1;  // a factor of 3: one run of an unknown launch must not decide

const std::vector<double> kPaths{30, 40, 60}, kPromptPaths{0, 3, 6};

/// Runs that share their own constants: host time per step and stream share, or the hand-over of pools.
enum class Kind : size_t { vllm, vllm_async, sglang, trtllm, pools };
constexpr size_t kKinds = 5;

/// Values of a kind's own constants: all pairs of the two lists.
struct OwnGrid {
  std::vector<double> first, stream_shares{0};
  size_t size() const { return first.size() * stream_shares.size(); }
  double first_at(size_t i) const { return first[i / stream_shares.size()]; }
  double share_at(size_t i) const { return stream_shares[i % stream_shares.size()]; }
};

const OwnGrid& own_grid(Kind kind) {
  static const std::array<OwnGrid, kKinds> grids{OwnGrid{{0, 0.8, 1.2, 1.6, 2.0}},
                                                 OwnGrid{{0, 0.2, 0.4, 0.8}},
                                                 OwnGrid{{1.2, 1.6, 2.0, 2.4, 2.8}, {0, 0.25, 0.5, 0.75}},
                                                 OwnGrid{{0, 0.2, 0.4}}, OwnGrid{{150, 200, 300}}};
  return grids[size_t(kind)];
}

Kind kind_of(const ServingQuestion& question) {
  if (question.disaggregated) return Kind::pools;
  if (question.engine == ServingEngine::sglang) return Kind::sglang;
  if (question.engine == ServingEngine::trtllm) return Kind::trtllm;
  return question.launch.async_scheduling.value_or(false) ? Kind::vllm_async : Kind::vllm;
}

std::optional<double>& step_overhead(RefitConstants& c, Kind kind) {
  if (kind == Kind::vllm) return c.vllm_ms;
  if (kind == Kind::vllm_async) return c.vllm_async_ms;
  return kind == Kind::sglang ? c.sglang_ms : c.trtllm_ms;
}

/// What an engine gets that no other run has.
double median_overhead(RefitConstants constants) {
  std::vector<double> known;
  for (const Kind kind : {Kind::vllm, Kind::vllm_async, Kind::sglang, Kind::trtllm})
    if (const auto value = step_overhead(constants, kind)) known.push_back(*value);
  if (known.empty()) return 0;
  std::sort(known.begin(), known.end());
  return known[known.size() / 2];
}

/// TTFT without the wait for SGLang's stream interval, and that wait at a share of one.
struct Times {
  double ttft_ms = 0, stream_ms = 0, tpot_ms = 0;
  estimate::Prediction with_share(double share) const { return {ttft_ms + share * stream_ms, tpot_ms}; }
};

Times simulated(ServingQuestion question, RefitConstants constants) {
  const Kind kind = kind_of(question);
  if (kind == Kind::pools) {
    question.path = disaggregated_path(constants.request_path_ms, constants.hand_over_ms);
  } else {
    question.path = request_path(question.workload, constants.request_path_ms, constants.prompt_path_ms);
    question.step_overhead_ms = step_overhead(constants, kind).value_or(median_overhead(constants));
  }
  const SimulationResult result = predict(question).result;
  return {result.ttft_ms.mean - result.stream_wait_ms, result.stream_wait_ms / kStreamIntervalShare.value,
          result.tpot_ms.mean};
}

double log_error(double predicted, double measured) {
  return std::min(kMostLogError, std::abs(std::log(predicted / measured)));
}

/// Errors of one run for every combination: by path, prompt path and own constants. Empty without an answer.
std::vector<double> errors_of(const PricedRun& priced, const estimate::SiliconRun& run) {
  std::vector<double> errors;
  if (!priced.question || run.ttft_ms <= 0 || run.tpot_ms <= 0) return errors;
  const Kind kind = kind_of(*priced.question);
  const OwnGrid& own = own_grid(kind);
  try {
    for (const double path : kPaths)
      for (const double prompt : kPromptPaths)
        for (const double first : own.first) {
          RefitConstants constants{.request_path_ms = path, .prompt_path_ms = prompt, .hand_over_ms = first};
          if (kind != Kind::pools) step_overhead(constants, kind) = first;
          const Times times = simulated(*priced.question, constants);
          for (const double share : own.stream_shares) {
            const estimate::Prediction p = times.with_share(share);
            errors.push_back((log_error(p.ttft_ms, run.ttft_ms) + log_error(p.tpot_ms, run.tpot_ms)) / 2);
          }
        }
  } catch (const UsageError&) {  // it has no answer with any constants
    errors.clear();
  }
  return errors;
}

/// Sums of errors over runs, by kind and combination.
struct ErrorSums {
  std::array<std::vector<double>, kKinds> by_combination;
  std::array<int64_t, kKinds> runs{};

  void add(Kind kind, const std::vector<double>& errors) {
    std::vector<double>& sums = by_combination[size_t(kind)];
    sums.resize(errors.size());
    for (size_t i = 0; i < errors.size(); ++i) sums[i] += errors[i];
    ++runs[size_t(kind)];
  }
};

RefitConstants best_constants(const ErrorSums& sums) {
  RefitConstants best;
  double least = std::numeric_limits<double>::infinity();
  for (size_t path = 0; path < kPaths.size(); ++path)
    for (size_t prompt = 0; prompt < kPromptPaths.size(); ++prompt) {
      RefitConstants constants{.request_path_ms = kPaths[path],
                               .prompt_path_ms = kPromptPaths[prompt],
                               .hand_over_ms = kHandOver.value};
      double total = 0;
      for (size_t k = 0; k < kKinds; ++k) {
        if (sums.runs[k] == 0) continue;
        const OwnGrid& own = own_grid(Kind(k));
        const auto first = sums.by_combination[k].begin() +
                           std::ptrdiff_t((path * kPromptPaths.size() + prompt) * own.size());
        const auto least_own = std::min_element(first, first + std::ptrdiff_t(own.size()));
        total += *least_own;
        const auto at = size_t(least_own - first);
        if (Kind(k) == Kind::pools)
          constants.hand_over_ms = own.first_at(at);
        else
          step_overhead(constants, Kind(k)) = own.first_at(at);
        if (Kind(k) == Kind::sglang) constants.stream_share = own.share_at(at);
      }
      if (total < least) least = total, best = constants;
    }
  return best;
}

std::string group_of(const estimate::SiliconRun& run, LeaveOutBy by) {
  if (by == LeaveOutBy::system) return run.request.system;
  if (by == LeaveOutBy::engine) return std::string(estimate::name_of(run.request.framework));
  for (const char* family : {"DeepSeek", "Qwen3-32B", "Llama-3.1-8B"})
    if (run.request.model.find(family) != std::string::npos) return family;
  return run.request.model;
}

estimate::Answer answer(const PricedRun& priced, const RefitConstants& constants) {
  if (!priced.question) return {.failure = priced.failure};
  try {
    const Times times = simulated(*priced.question, constants);
    return {.prediction = times.with_share(constants.stream_share.value_or(0))};
  } catch (const Error& error) {
    return {.failure = error.what()};
  }
}

}  // namespace

LeaveOutResult leave_groups_out(estimate::Session& session, const std::vector<estimate::SiliconRun>& runs,
                                LeaveOutBy by) {
  const std::vector<PricedRun> priced = price_silicon(session, runs, true);
  std::vector<std::vector<double>> errors(runs.size());
  for_each_parallel(runs.size(), [&](size_t i) { errors[i] = errors_of(priced[i], runs[i]); });
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < runs.size(); ++i) groups[group_of(runs[i], by)].push_back(i);

  LeaveOutResult result;
  result.answers.resize(runs.size());
  for (const auto& [name, members] : groups) {
    ErrorSums others;
    for (const auto& [other, other_members] : groups)
      for (const size_t i : other_members)
        if (other != name && !errors[i].empty()) others.add(kind_of(*priced[i].question), errors[i]);
    result.groups.push_back({name, best_constants(others), members});
    const RefitConstants& constants = result.groups.back().constants;
    const std::vector<size_t>& left_out = result.groups.back().runs;
    for_each_parallel(left_out.size(), [&](size_t i) {
      result.answers[left_out[i]] = answer(priced[left_out[i]], constants);
    });
  }
  return result;
}

}  // namespace perfatlas
