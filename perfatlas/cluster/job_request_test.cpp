// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/job_request.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

ShardLane lane(Shard shard, uint64_t planned, uint64_t done, std::string end = {}) {
  ShardLane lane{.folder = fmt::format("/shared/{}", lane_folder_name(shard)),
                 .shard = shard,
                 .planned = planned,
                 .done = done};
  lane.end = std::move(end);
  return lane;
}

TEST(JobTasks, AreOnePerShardAtFirst) {
  const auto tasks = first_tasks(3);
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(tasks[2].folder, "shard-3-of-3");
  EXPECT_THROW(first_tasks(0), UsageError);
}

TEST(JobTasks, OnlyUnfinishedShardsContinueInTheirFolders) {
  ShardStatus status{.shards = 4, .total = 40};
  status.lanes = {lane({0, 4}, 10, 10, "complete"), lane({1, 4}, 10, 3), lane({2, 4}, 10, 9, "target"),
                  lane({3, 4}, 10, 2, "interrupted")};
  const auto tasks = next_tasks(status, 2);
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].shard, (Shard{1, 4}));
  EXPECT_EQ(tasks[0].folder, "shard-2-of-4");
  EXPECT_TRUE(tasks[0].done_in.empty());
  EXPECT_EQ(tasks[1].shard, (Shard{3, 4}));
}

TEST(JobTasks, SpareMachinesTakeAShardOverInPieces) {
  ShardStatus status{.shards = 2, .total = 20};
  status.lanes = {lane({0, 2}, 10, 10, "complete"), lane({1, 2}, 10, 3)};
  const auto tasks = next_tasks(status, 3);
  ASSERT_EQ(tasks.size(), 3u);
  for (uint64_t piece = 0; piece < 3; ++piece) {
    EXPECT_EQ(tasks[piece].shard, (Shard{1, 2, piece, 3}));
    EXPECT_EQ(tasks[piece].done_in, (std::vector<std::string>{"shard-2-of-2"}));
  }
}

TEST(JobTasks, AShardThatNeverStartedIsNotSplit) {
  ShardStatus status{.shards = 2, .total = 20};
  status.lanes = {lane({0, 2}, 10, 10, "complete")};
  const auto tasks = next_tasks(status, 8);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0].folder, "shard-2-of-2");
}

TEST(JobTasks, NothingIsLeftOfAFinishedPlan) {
  ShardStatus status{.shards = 2, .total = 20};
  // The second shard was finished by two pieces.
  status.lanes = {lane({0, 2}, 10, 10, "complete"), lane({1, 2}, 10, 4), lane({1, 2, 0, 2}, 5, 3, "complete"),
                  lane({1, 2, 1, 2}, 5, 3, "complete")};
  EXPECT_TRUE(next_tasks(status, 4).empty());
}

}  // namespace
}  // namespace perfatlas
