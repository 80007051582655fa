// SPDX-License-Identifier: Apache-2.0
// What every launcher needs to know to start a collection on many machines.
#pragma once

#include <string>
#include <vector>

#include "perfatlas/cluster/shard_status.h"

namespace perfatlas {

/// One task: a shard, or a piece of one, into a folder of its own.
struct JobTask {
  Shard shard;
  std::string folder;                // name below JobRequest::folder
  std::vector<std::string> done_in;  // names of folders whose decided cases are done
};

struct JobRequest {
  std::string folder;                  // shared by all machines; absolute
  std::string program;                 // perfatlas on the machines: an absolute path, or a name in their PATH
  std::vector<std::string> arguments;  // of `perfatlas collect`, without --out, --shard and launcher options
  std::string target_p90;              // empty: no stopping
  uint64_t tasks = 1;
};

/// "shard-3-of-8", "shard-3-of-8.piece-1-of-2".
std::string lane_folder_name(const Shard& shard);

/// The tasks of a first launch: one per shard. Of a later one, given how the shards stand: unfinished shards continue
/// in their folders; when there are at least twice as many tasks as unfinished shards, these are split into pieces,
/// which take over from folders whose machine may be dead. Empty: nothing is left to do.
/// Throws UsageError when `tasks` is 0.
std::vector<JobTask> first_tasks(uint64_t tasks);
std::vector<JobTask> next_tasks(const ShardStatus& status, uint64_t tasks);

}  // namespace perfatlas
