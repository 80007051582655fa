// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cluster/shard_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <unordered_map>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/collect/audited_families.h"
#include "perfatlas/collect/wall_clock.h"

namespace perfatlas {
namespace {

/// Reads lanes one after the other and keeps what the whole needs.
class StatusReader {
 public:
  StatusReader(const OpRegistry& ops, const StatusRequest& request)
      : ops_(ops),
        now_s_(request.now_s.value_or(
            std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count())),
        target_p90_(request.target_p90) {}

  void read(const std::string& folder);
  ShardStatus result();

 private:
  void take_run(const RunRecord& run, ShardLane& lane);
  void take_case(const CaseRecord& record);
  void finish(ShardLane& lane);

  const OpRegistry& ops_;
  double now_s_;
  std::optional<double> target_p90_;
  std::optional<SystemSpec> system_;  // of the first run that knew one
  std::optional<AuditedFamilies> audits_;
  ShardStatus status_;
  std::string first_folder_;
  uint32_t folders_ = 0;                               // read before
  std::unordered_map<uint64_t, uint32_t> decided_by_;  // key -> number of the folder, or kSeveral
  std::map<std::string, FailureCount> failures_;
  std::set<std::string> devices_;
  // of the lane being read
  std::unordered_map<uint64_t, Outcome> lane_decided_;
  std::optional<double> run_start_s_, last_s_;
  uint64_t run_decided_ = 0, lane_total_ = 0;

  static constexpr uint32_t kSeveral = UINT32_MAX;
};

void StatusReader::take_run(const RunRecord& run, ShardLane& lane) {
  if (first_folder_.empty()) {
    first_folder_ = lane.folder;
    status_.plan_hash = run.plan_hash;
    status_.plan_kind = run.plan_kind;
    status_.backend = run.backend;
    status_.backend_version = run.backend_version;
    status_.shards = parse_shard(run.shard).count;
    if (!run.system_json.empty()) system_ = parse_system_spec(run.system_json, lane.folder).spec;
    audits_.emplace(
        AuditOptions{.context = {system_ ? &*system_ : nullptr, CacheState::serving}, .target = target_p90_});
  }
  if (run.plan_hash != status_.plan_hash)
    throw UsageError(
        fmt::format("{} holds plan {} ({}), {} holds plan {}: give each plan a folder of its own",
                    lane.folder, hex16(run.plan_hash), run.command, first_folder_, hex16(status_.plan_hash)));
  if (run.backend != status_.backend || run.backend_version != status_.backend_version)
    throw UsageError(fmt::format(
        "{} was measured with {} {}, {} with {} {}: their rows are not one table; give each version a folder "
        "of its own",
        lane.folder, run.backend, run.backend_version, first_folder_, status_.backend,
        status_.backend_version));
  lane.shard = parse_shard(run.shard);
  // A lane with the whole plan beside shards of it repeats cases, which are counted; other mixtures leave holes.
  if (lane.shard.count != status_.shards && lane.shard.count != 1 && status_.shards != 1)
    throw UsageError(
        fmt::format("{} holds shard {} of a plan that {} holds as {} shards: their cases overlap and others "
                    "are missing; collect "
                    "with one number of shards, and place what is there as it is",
                    lane.folder, run.shard, first_folder_, status_.shards));
  status_.shards = std::max(status_.shards, lane.shard.count);
  lane.host = run.host;
  lane.device = run.device_name;
  lane.planned = run.plan_cases;
  lane_total_ = run.plan_total > 0 ? run.plan_total : run.plan_cases;
  lane.end.clear();
  ++lane.runs;
  devices_.insert(run.device_name);
  run_start_s_ = last_s_ = utc_seconds(run.date);
  run_decided_ = 0;
}

void StatusReader::take_case(const CaseRecord& record) {
  if (const auto at = utc_seconds(record.date)) last_s_ = std::max(last_s_.value_or(*at), *at);
  if (record.place && audits_)
    audits_->take(record.row ? record.row->c : ops_.parse_case(record.case_text), record);
  if (!record.final) return;
  const uint64_t key = key_of(record);
  ++run_decided_;
  lane_decided_[key] = record.outcome;
  const auto [known, is_new] = decided_by_.try_emplace(key, folders_);
  if (!is_new && known->second != folders_ && known->second != kSeveral) {
    known->second = kSeveral;
    ++status_.repeated;
  }
  if (record.outcome == Outcome::measured || record.outcome == Outcome::skipped) return;
  FailureCount& failure = failures_[fmt::format("{}: {}", name_of(record.outcome), record.reason)];
  ++failure.cases;
  failure.repro = record.repro;
}

void StatusReader::finish(ShardLane& lane) {
  if (status_.lanes.empty()) status_.total = lane_total_;
  if (lane_total_ != status_.total)
    throw UsageError(
        fmt::format("{} is a part of {} cases, {} of {} of the same plan: collect both with the same --limit",
                    lane.folder, lane_total_, first_folder_, status_.total));
  for (const auto& [key, outcome] : lane_decided_) ++lane.outcomes[outcome];
  lane.done = lane_decided_.size();
  if (last_s_) lane.quiet_s = std::max(0.0, now_s_ - *last_s_);
  if (run_start_s_ && *last_s_ > *run_start_s_ && run_decided_ > 0)
    lane.rate_per_s = double(run_decided_) / (*last_s_ - *run_start_s_);
  status_.lanes.push_back(std::move(lane));
}

void StatusReader::read(const std::string& folder) {
  ShardLane lane{.folder = folder};
  lane_decided_.clear();
  run_start_s_ = last_s_ = std::nullopt;
  const auto damaged = read_journals(journal_files(folder), ops_, [&](const JournalRecord& record) {
    if (const auto* const run = std::get_if<RunRecord>(&record)) take_run(*run, lane);
    if (const auto* const c = std::get_if<CaseRecord>(&record)) take_case(*c);
    if (const auto* const end = std::get_if<EndRecord>(&record)) lane.end = end->why;
  });
  lane.damaged = damaged.size();
  if (lane.runs > 0)
    finish(lane);
  else
    status_.without_run.push_back(folder);
  ++folders_;
}

ShardStatus StatusReader::result() {
  ShardStatus& s = status_;
  if (s.lanes.empty())
    throw UsageError(
        fmt::format("{}: its journals are empty or lack their first lines, so that their plan is unknown; "
                    "collect into it "
                    "again (place takes the rows that are there)",
                    fmt::join(s.without_run, ", ")));
  s.done = decided_by_.size();
  s.devices.assign(devices_.begin(), devices_.end());
  std::sort(s.lanes.begin(), s.lanes.end(), [](const ShardLane& a, const ShardLane& b) {
    return std::tuple(a.shard.index, a.shard.pieces, a.shard.piece, a.folder) <
           std::tuple(b.shard.index, b.shard.pieces, b.shard.piece, b.folder);
  });
  std::set<uint64_t> seen;
  for (const ShardLane& lane : s.lanes) seen.insert(lane.shard.index);
  for (uint64_t i = 0; i < s.shards; ++i)
    if (!seen.contains(i)) s.missing.push_back(i + 1);
  for (auto& [reason, failure] : failures_) {
    failure.reason = reason;
    s.failures.push_back(failure);
  }
  std::stable_sort(s.failures.begin(), s.failures.end(),
                   [](const FailureCount& a, const FailureCount& b) { return a.cases > b.cases; });
  if (audits_) s.audits = audits_->advance_all();
  bool known = s.missing.empty();
  double slowest = 0;
  for (const ShardLane& lane : s.lanes) {
    if (s.finished(lane.shard.index) || lane.shard.pieces > 1) continue;
    if (!lane.rate_per_s)
      known = false;
    else
      slowest =
          std::max(slowest, double(lane.planned - std::min(lane.done, lane.planned)) / *lane.rate_per_s);
  }
  if (known) s.eta_s = slowest;
  return std::move(s);
}

}  // namespace

bool ShardStatus::finished(uint64_t index) const {
  uint64_t planned = 0, done_here = 0, lanes_here = 0;
  bool ended = true;
  for (const ShardLane& lane : lanes) {
    if (lane.shard.index != index) continue;
    ++lanes_here;
    done_here += lane.done;
    if (lane.shard.pieces == 1) planned = lane.planned;
    ended &= lane.end == name_of(EndReason::complete) || lane.end == name_of(EndReason::target);
  }
  return lanes_here > 0 && (ended || (planned > 0 && done_here >= planned));
}

std::vector<std::string> lane_folders(const std::vector<std::string>& given) {
  std::set<std::string> lanes;
  for (const std::string& folder : given) {
    const size_t before = lanes.size();
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      throw UsageError(
          fmt::format("{}: is no folder; give the folder of a collection or of its shards", folder));
    if (!journal_files(folder).empty()) lanes.insert(folder);
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.is_directory() && !journal_files(entry.path().string()).empty())
        lanes.insert(entry.path().string());
    if (lanes.size() == before)
      throw UsageError(fmt::format(
          "{}: neither it nor a folder in it has a journal; nothing was collected there yet", folder));
  }
  return {lanes.begin(), lanes.end()};
}

ShardStatus shard_status(const OpRegistry& ops, const StatusRequest& request) {
  StatusReader reader(ops, request);
  for (const std::string& folder : lane_folders(request.folders)) reader.read(folder);
  return reader.result();
}

size_t write_stop_file(const ShardStatus& status, const std::string& path) {
  std::string text;
  size_t families = 0;
  for (const AuditRecord& audit : status.audits)
    if (audit.verdict != name_of(StopVerdict::go_on)) {
      text += audit.family + "\n";
      ++families;
    }
  replace_file(path, text);
  return families;
}

}  // namespace perfatlas
