// SPDX-License-Identifier: Apache-2.0
// The journal: everything a collection did, one checksummed record per line, only ever appended to. Tables are made
// from journals; a journal is never made from anything. Format: docs/formats.md.
//
//   8 hexadecimal digits of checksum32(JSON text), one space, JSON text (an object), one newline
//
// A folder holds one file per supervisor run, journal-<run_id>.jsonl; run ids begin with the UTC date and time, so file
// names sort by age. Any set of journals, from any number of machines, can be read together.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/flat_json.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/collect/plan_place.h"
#include "perfatlas/measure/sample.h"
#include "perfatlas/measure/stopping_rule.h"
#include "perfatlas/schema/registry.h"
#include "perfatlas/store/row.h"

namespace perfatlas {

/// Raised when a reader of an older revision would misunderstand.
inline constexpr int kJournalRevision = 1;

enum class Outcome {
  measured,   // has a row
  skipped,    // cannot run here, and why: data, not a failure
  failed,     // tried and went wrong, worker still well; or the worker broke the protocol
  crashed,    // the worker died of it
  timed_out,  // no answer within the deadline; the worker was killed
};

template <>
inline constexpr auto kEnumNames<Outcome> = std::array{
    EnumName<Outcome>{Outcome::measured, "measured"}, EnumName<Outcome>{Outcome::skipped, "skipped"},
    EnumName<Outcome>{Outcome::failed, "failed"}, EnumName<Outcome>{Outcome::crashed, "crashed"},
    EnumName<Outcome>{Outcome::timed_out, "timed_out"}};

/// The case was tried and has no row.
inline bool is_failure(Outcome outcome) {
  return outcome != Outcome::measured && outcome != Outcome::skipped;
}

/// First record of every file.
struct RunRecord {
  std::string run_id;   // "20260131T120000.123456Z-1a2b3c4d": UTC start and a random part
  std::string command;  // what to type to run it again
  std::string tool_version;
  std::string date;  // ISO 8601, UTC
  std::string host;
  uint64_t plan_hash = 0;
  uint64_t plan_cases = 0;  // in this shard
  uint64_t plan_total = 0;  // in all shards together; 0: not recorded
  std::string plan_kind = "full";
  std::string shard;  // "1/1"
  std::string backend;
  std::string backend_version;
  std::string worker;  // what the worker calls itself
  std::string device_id, device_name;
  double device_memory_bytes = 0, device_llc_bytes = 0;
  std::map<std::string, std::string> versions;  // driver and libraries, as the live worker reports them
  std::string system_json;                      // system_spec_json() of the machine; empty when unknown
  std::map<std::string, std::string> options;   // measuring options, as text
  bool operator==(const RunRecord&) const = default;
};

/// One case, once tried. A case may have several records; the newest of its key counts.
struct CaseRecord {
  std::string case_text;
  uint64_t case_id = 0;
  std::string backend;
  std::string kernel;  // wanted; empty: the best one. The one that ran is row->kernel_source
  CacheState cache = CacheState::serving;
  std::optional<PlanPlace> place;  // in the order of its family, of a small plan
  Outcome outcome = Outcome::measured;
  bool final = true;   // false: will be tried again, also by a later run; a measured row then looked doubtful
  std::string reason;  // of any outcome but measured; "SIGSEGV" and the like for crashed
  std::string device_id;
  int attempts = 1;  // over all runs
  std::string date;  // ISO 8601, UTC, when it ended
  double duration_s = 0;
  std::string repro;  // command line that reruns this case
  std::string log;    // worker log in the same folder; empty when of no interest

  // measured only
  std::optional<Row> row;
  std::vector<double> samples_ms;    // everything the row's statistics were made from
  std::vector<double> discarded_ms;  // throttled or faster than light, measured again
  StopReason stop = StopReason::quiet;
  bool suspect = false;  // still faster than the speed of light after measuring again; the row is kept
  int launches_per_sample = 1;
  double bytes_touched = 0;
  std::string launch_note;
  std::vector<std::vector<double>>
      rank_ms;  // collectives: per sample the time of every rank; the sample is the slowest
  bool operator==(const CaseRecord&) const = default;
};

/// How far apart the ranks of a collective end: median over samples of slowest / fastest - 1. Nothing without ranks.
std::optional<double> rank_skew(const CaseRecord& record);

/// A measured case once more, at the end of a run: drift.
struct RerunRecord {
  std::string case_text;
  uint64_t case_id = 0;
  double first_ms = 0;
  double again_ms = 0;
  std::vector<double> samples_ms;
  bool operator==(const RerunRecord&) const = default;
};

/// An op whose cases fail too often was given up in this run.
struct BreakerRecord {
  std::string op;
  std::string reason;
  bool operator==(const BreakerRecord&) const = default;
};

/// What the audits of a family say after a batch of its places (small plans).
struct AuditRecord {
  std::string family;   // SizeSpace::family_name
  uint64_t places = 0;  // of its order, judged so far
  uint64_t audits = 0;  // behind the figures
  double p90 = 0;       // of |predicted / measured - 1|
  double p90_low = 0, p90_high = 0;
  double noise_floor = 0;        // p90 that the rows' own noise makes; 0: unknown
  std::string verdict;           // name of a StopVerdict
  std::optional<double> target;  // of p90, that the verdict is about
  bool operator==(const AuditRecord&) const = default;
};

struct DriftFigures {
  uint64_t cases = 0;
  double deviation_p50 = 0;  // of |again / first - 1|
  double deviation_p95 = 0;  //
  double share_over_10_percent = 0;
  bool operator==(const DriftFigures&) const = default;
};

/// Last record of a run that ended in order.
struct EndRecord {
  std::string date;
  std::string why;                           // name of an EndReason (supervisor.h)
  std::map<std::string, uint64_t> outcomes;  // final records of this run, by outcome name
  uint64_t not_attempted = 0;
  std::optional<DriftFigures> drift;
  bool operator==(const EndRecord&) const = default;
};

using JournalRecord = std::variant<RunRecord, CaseRecord, RerunRecord, BreakerRecord, AuditRecord, EndRecord>;

/// What a record is about, for resuming: the same case, back end, wanted kernel and cache state.
class RecordKeys {
 public:
  /// Keys of cases measured like this.
  RecordKeys(std::string_view backend, std::string_view kernel, CacheState cache);
  /// Only in memory, never in files.
  uint64_t of(uint64_t case_id) const { return combine_hashes(case_id, how_); }

 private:
  uint64_t how_ = 0;
};
uint64_t key_of(const CaseRecord& record);

/// One line, newline included. Doubles read back exactly.
std::string format_record(const JournalRecord& record);

/// A journal of a later revision than kJournalRevision: not damage, but nothing this build may touch.
class NewerJournal : public Error {
 public:
  explicit NewerJournal(int revision);
};

/// The inverse. Throws Error naming what is wrong: checksum, JSON, a missing member, an op
/// that `ops` does not know, or a case whose id is no longer what was recorded (the op's revision was raised).
/// Throws NewerJournal for a run record of a later revision.
JournalRecord parse_record(std::string_view line, const OpRegistry& ops);

/// The same for many lines, with memory that each uses again.
JournalRecord parse_record(std::string_view line, const OpRegistry& ops, FlatJson& memory);

/// Appends records. A killed process loses nothing that append() returned from; a power cut loses at most 250 ms.
class JournalWriter {
 public:
  /// Opens or creates `path`; a torn last line is closed with a newline first, so that it stays recognisable and
  /// separate. Throws Error.
  explicit JournalWriter(std::string path);
  /// Flushes; an error here is ignored because every record is in the operating system already.
  ~JournalWriter();

  /// Throws Error (full disk, size limit); the record is then not in the file, not even in part.
  void append(const JournalRecord& record);
  /// Flushes to the device when 64 records or 250 ms have gathered. Call it when idle.
  void sync_if_due();
  void sync();
  const std::string& path() const { return file_.path(); }

 private:
  AppendFile file_;
  int unsynced_ = 0;
  std::chrono::steady_clock::time_point last_sync_;
};

/// A line that is not a record: torn by a kill, damaged, or of another version. Reported, never data.
struct DamagedLine {
  std::string path;
  uint64_t line = 0;  // from 1
  std::string reason;
};

/// Journal files of a collection folder, oldest first. Throws Error when the folder cannot be read.
std::vector<std::string> journal_files(const std::string& folder);

/// Those of several folders, oldest first over all of them: file names begin with the start of their run.
std::vector<std::string> journal_files(const std::vector<std::string>& folders);

/// Reads one file in constant memory: a block of lines at a time, on all processors.
class JournalReader {
 public:
  /// Throws Error when the file cannot be opened, or is of a newer revision than this build reads (that is never
  /// treated as damage). `ops` must outlive the reader and the rows it made.
  JournalReader(std::string path, const OpRegistry& ops);
  ~JournalReader();
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  using Item = std::variant<JournalRecord, DamagedLine>;
  /// The records and damaged lines that come next, in order; none at the end. Throws Error.
  std::vector<Item> next_block();

 private:
  std::vector<std::string_view> next_lines();
  Item parse(std::string_view line, uint64_t number, FlatJson& memory) const;

  std::string path_;
  const OpRegistry& ops_;
  std::unique_ptr<std::ifstream> file_;
  std::string text_;    // lines of the current block, then the beginning of the next line
  size_t used_ = 0;     // bytes of the lines
  uint64_t lines_ = 0;  // of the file, before the current block
};

/// Records of one file that follow each other.
struct JournalBlock {
  const std::string& path;
  bool begins_file = false;  // the first block of its file
  std::vector<JournalRecord> records;
};

/// Every record of every file, in order, in blocks of some thousand; damaged lines are collected and returned.
std::vector<DamagedLine> read_journal_blocks(const std::vector<std::string>& files, const OpRegistry& ops,
                                             const std::function<void(JournalBlock&&)>& on_block);

/// The run that a journal's file name says: what its records belong to when its first line is damaged.
std::string run_id_of_file(const std::string& path);

/// The same record by record; damaged lines are collected and returned.
std::vector<DamagedLine> read_journals(const std::vector<std::string>& files, const OpRegistry& ops,
                                       const std::function<void(JournalRecord&&)>& on_record);

}  // namespace perfatlas
