// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/search/match.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "perfatlas/search/grids.h"

namespace perfatlas {
namespace {

TEST(Match, BalancesThePools) {
  // Published example: Qwen3-32B, 32 H200: eight prefill workers of one GPU feed three decode workers of eight.
  MatchRules rules;
  rules.replica_gpus = replica_sizes(32, false);
  const WorkerRate prefill{2.403, 1}, decode{4.441, 8};
  EXPECT_EQ(match_workers(prefill, decode, rules), (WorkerCounts{8, 3}));
  EXPECT_NEAR(replica_requests_per_s(prefill, decode, {8, 3}, rules), 12.257, 5e-4);
}

TEST(Match, SaysWhenNoAllowedTotalCanBeReached) {
  MatchRules rules;
  rules.replica_gpus = {1, 2};
  EXPECT_FALSE(match_workers({1, 2}, {1, 2}, rules));
}

TEST(Match, CapsOnPoolsCountOnlyTogether) {
  MatchRules rules;
  rules.most_prefill_gpus = 1;
  const WorkerRate prefill{1, 1}, decode{8, 1};
  EXPECT_GT(match_workers(prefill, decode, rules)->prefill, 1);
  rules.most_decode_gpus = 8;
  EXPECT_EQ(match_workers(prefill, decode, rules)->prefill, 1);
}

TEST(Match, NoOtherCountsServeMorePerGpu) {
  EXPECT_TRUE(rc::check([] {
    const WorkerRate prefill{*rc::gen::inRange(1, 1000) / 100.0, *rc::gen::inRange(1, 17)};
    const WorkerRate decode{*rc::gen::inRange(1, 1000) / 100.0, *rc::gen::inRange(1, 17)};
    MatchRules rules;
    rules.replica_gpus = replica_sizes(*rc::gen::inRange(1, 129), *rc::gen::arbitrary<bool>());
    const auto per_gpu = [&](const WorkerCounts& c) {
      return replica_requests_per_s(prefill, decode, c, rules) /
             (prefill.gpus * c.prefill + decode.gpus * c.decode);
    };
    const auto found = match_workers(prefill, decode, rules);
    for (int p = 1; p <= rules.most_workers; ++p)
      for (int d = 1; d <= rules.most_workers; ++d) {
        const int total = prefill.gpus * p + decode.gpus * d;
        bool allowed = false;
        for (const int gpus : rules.replica_gpus) allowed |= gpus == total;
        if (allowed) RC_ASSERT(found && per_gpu(*found) >= per_gpu({p, d}));
      }
  }));
}

}  // namespace
}  // namespace perfatlas
