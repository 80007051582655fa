// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/candidates.h"

#include <algorithm>
#include <set>

namespace perfatlas {
namespace {

using estimate::Framework;
using estimate::Parallel;
using List = std::vector<int64_t>;

List powers_of_two(int64_t first, int64_t last) {
  List values;
  for (int64_t value = first; value <= last; value *= 2) values.push_back(value);
  return values;
}

void unite(List& list, const List& more) {
  std::set<int64_t> all(list.begin(), list.end());
  all.insert(more.begin(), more.end());
  list.assign(all.begin(), all.end());
}

void unite(CandidateLists& lists, const CandidateLists& more) {
  unite(lists.gpus, more.gpus);
  unite(lists.tp, more.tp);
  unite(lists.pp, more.pp);
  unite(lists.dp, more.dp);
  unite(lists.moe_tp, more.moe_tp);
  unite(lists.moe_ep, more.moe_ep);
  unite(lists.cp, more.cp);
}

CandidateLists dense(bool rack_scale) {
  const List widths = powers_of_two(1, rack_scale ? 16 : 8);
  return {.gpus = widths, .tp = widths, .pp = {1}, .dp = {1}, .moe_tp = {1}, .moe_ep = {1}, .cp = {1}};
}

CandidateLists experts_in_one_kernel(bool rack_scale) {
  const List widths = rack_scale ? powers_of_two(4, 32) : List{8};
  return {.gpus = widths,
          .tp = powers_of_two(1, 8),
          .pp = {1},
          .dp = powers_of_two(1, rack_scale ? 32 : 8),
          .moe_tp = {1},
          .moe_ep = widths,
          .cp = {1}};
}

/// Experts spread beyond one node.
CandidateLists wide(const CandidateRequest& request) {
  const bool prefill = request.role == WorkerRole::prefill, decode = request.role == WorkerRole::decode;
  const int64_t last = prefill ? 32 : 64;
  CandidateLists lists{
      .gpus = {}, .tp = powers_of_two(1, 8), .pp = {1}, .dp = {}, .moe_tp = {1}, .moe_ep = {}, .cp = {1}};
  switch (request.framework) {
    case Framework::trtllm:
      lists.gpus = lists.dp = lists.moe_ep = powers_of_two(prefill || decode ? 4 : 2, last);
      break;
    case Framework::sglang:
      lists.gpus = lists.moe_ep = powers_of_two(8, last);
      lists.dp = powers_of_two(1, last);
      break;
    case Framework::vllm:
      lists.tp = {1};
      lists.gpus = lists.dp = lists.moe_ep = request.wide_experts;
      break;
  }
  return lists;
}

bool runs(const Parallel& ranks, const CandidateRequest& request) {
  if (ranks.attention_width() != ranks.expert_tp() * ranks.expert_ep()) return false;
  switch (request.framework) {
    case Framework::trtllm:
      return ranks.dp == 1 || ranks.tp == 1;
    case Framework::vllm:
      return ranks.expert_tp() == 1 || ranks.expert_ep() == 1;
    case Framework::sglang:
      return request.moe_backend != "megamoe" || ranks.expert_tp() == 1;
  }
  return false;
}

bool contains(const List& list, int64_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

bool wants_deep_pipelines(const std::string& family, int sm_version, int total_gpus,
                          const std::string& moe_backend) {
  return (family == "DEEPSEEKV32" || family == "DEEPSEEKV4") && sm_version >= 100 && total_gpus >= 16 &&
         moe_backend != "megamoe";
}

CandidateLists default_candidates(const CandidateRequest& request) {
  if (!request.has_experts) {
    CandidateLists lists = dense(request.rack_scale);
    if (request.splits_prompts && request.role != WorkerRole::decode) lists.cp = powers_of_two(1, 8);
    return lists;
  }
  const bool sglang = request.framework == Framework::sglang;
  CandidateLists lists;
  if (sglang && request.moe_backend == "megamoe") {
    lists = experts_in_one_kernel(request.rack_scale);
  } else {
    const List widths = powers_of_two(1, 16);
    lists = {
        .gpus = widths, .tp = widths, .pp = {1}, .dp = widths, .moe_tp = widths, .moe_ep = widths, .cp = {1}};
    if (sglang && request.moe_backend == "deepep_moe") lists.moe_tp = {1};
    if (!request.wide_experts.empty()) unite(lists, wide(request));
  }
  if (request.splits_prompts && request.role != WorkerRole::decode) lists.cp = powers_of_two(1, 8);
  if (request.deep_pipelines)
    unite(lists, {.gpus = {16},
                  .tp = {8},
                  .pp = {2},
                  .dp = {1},
                  .moe_tp = {1, 2, 4, 8},
                  .moe_ep = {1, 2, 4, 8},
                  .cp = {}});
  return lists;
}

std::vector<Parallel> splits_within(const CandidateLists& lists, const CandidateRequest& request,
                                    int64_t budget) {
  std::vector<Parallel> splits;
  for (const int64_t tp : lists.tp)
    for (const int64_t pp : lists.pp)
      for (const int64_t dp : lists.dp)
        for (const int64_t moe_tp : lists.moe_tp)
          for (const int64_t moe_ep : lists.moe_ep)
            for (const int64_t cp : lists.cp) {
              const Parallel ranks{
                  .tp = tp, .pp = pp, .dp = dp, .cp = cp, .moe_tp = moe_tp, .moe_ep = moe_ep};
              if (ranks.gpus() > budget || !contains(lists.gpus, ranks.gpus())) continue;
              if (!request.has_experts || runs(ranks, request)) splits.push_back(ranks);
            }
  return splits;
}

}  // namespace perfatlas
