// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/group_device.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "perfatlas/backends/ranks/group_batch.h"

namespace perfatlas {
namespace {

constexpr size_t kKeptRuns = 1 << 20;  // more than one request repeats

}  // namespace

void GroupDevice::fetch_unread() {
  if (unread_ != nullptr) std::exchange(unread_, nullptr)->fetch();
}

void GroupDevice::copy(void* to, const void* from, size_t bytes) {
  fetch_unread();
  std::memcpy(to, from, bytes);
  ++writes_;
}

void GroupDevice::copy_out(void* host, const void* device, size_t bytes) {
  fetch_unread();
  std::memcpy(host, device, bytes);
}

std::unique_ptr<TimedBatch> GroupDevice::make_batch(const BatchRequest& request) {
  auto batch = std::make_unique<GroupBatch>(request, *this);
  ranks_in_use_ = batch->ranks();
  clocks_.clear();  // of other ranks
  return batch;
}

void GroupDevice::keep(const std::vector<RankRun>& runs, int launches) {
  std::vector<double> ms;
  for (size_t rank = 0; rank < runs.size(); ++rank) {
    ms.push_back(runs[rank].ms / launches);
    if (!runs[rank].clock_mhz) continue;
    clocks_[rank].mhz += *runs[rank].clock_mhz;
    ++clocks_[rank].runs;
  }
  rank_ms_.push_back(std::move(ms));
  if (rank_ms_.size() > kKeptRuns) rank_ms_.pop_front();
}

std::optional<double> GroupDevice::take_slowest_clock_mhz() {
  std::optional<double> slowest;
  for (const auto& [rank, sum] : std::exchange(clocks_, {}))
    if (const double mhz = sum.mhz / sum.runs; !slowest || mhz < *slowest) slowest = mhz;
  return slowest;
}

std::vector<std::vector<double>> GroupDevice::rank_ms(size_t count) const {
  const size_t kept = std::min(count, rank_ms_.size());
  return {rank_ms_.end() - std::ptrdiff_t(kept), rank_ms_.end()};
}

RankGroup& GroupDevice::group(int ranks) {
  for (auto& [size, other] : groups_)
    if (size != ranks) other->release();
  if (const auto found = groups_.find(ranks); found != groups_.end()) return *found->second;
  return *(groups_[ranks] = std::make_unique<RankGroup>(ranks, make_launcher(ranks)));
}

}  // namespace perfatlas
