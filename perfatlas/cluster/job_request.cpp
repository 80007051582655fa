// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/job_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"

namespace perfatlas {

std::string lane_folder_name(const Shard& shard) {
  std::string name = fmt::format("shard-{}-of-{}", shard.index + 1, shard.count);
  if (shard.pieces > 1) name += fmt::format(".piece-{}-of-{}", shard.piece + 1, shard.pieces);
  return name;
}

std::vector<JobTask> first_tasks(uint64_t tasks) {
  if (tasks == 0) throw UsageError("--tasks 0 would measure nothing; give the number of machines or devices");
  std::vector<JobTask> list;
  for (uint64_t i = 0; i < tasks; ++i) {
    const Shard shard{i, tasks};
    list.push_back({shard, lane_folder_name(shard), {}});
  }
  return list;
}

std::vector<JobTask> next_tasks(const ShardStatus& status, uint64_t tasks) {
  if (tasks == 0) throw UsageError("--tasks 0 would measure nothing; give the number of machines or devices");
  std::vector<uint64_t> unfinished;
  for (uint64_t i = 0; i < status.shards; ++i)
    if (!status.finished(i)) unfinished.push_back(i);
  std::vector<JobTask> list;
  for (const uint64_t index : unfinished) {
    std::vector<std::string> lanes;
    for (const ShardLane& lane : status.lanes)
      if (lane.shard.index == index) lanes.push_back(std::filesystem::path(lane.folder).filename().string());
    const uint64_t pieces = lanes.empty() ? 1 : std::max<uint64_t>(1, tasks / unfinished.size());
    for (uint64_t piece = 0; piece < pieces; ++piece) {
      const Shard shard{index, status.shards, piece, pieces};
      JobTask task{shard, lane_folder_name(shard), lanes};
      std::erase(task.done_in, task.folder);
      list.push_back(std::move(task));
    }
  }
  return list;
}

}  // namespace perfatlas
