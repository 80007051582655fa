// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "perfatlas/base/parallel.h"
#include "perfatlas/measure/statistics.h"

namespace perfatlas {
namespace {

constexpr int kGroupRecords = 64;
constexpr std::chrono::milliseconds kGroupTime{250};
// A block takes a few megabytes as records, a share of it some milliseconds.
constexpr size_t kBlockLines = 2048, kLeastPerThread = 256;

}  // namespace

NewerJournal::NewerJournal(int revision)
    : Error(fmt::format(
          "journal format revision {} is newer than the {} this perfatlas reads; update perfatlas", revision,
          kJournalRevision)) {}

RecordKeys::RecordKeys(std::string_view backend, std::string_view kernel, CacheState cache)
    : how_(combine_hashes(combine_hashes(hash64(backend), hash64(kernel)), uint64_t(cache))) {}

uint64_t key_of(const CaseRecord& record) {
  return RecordKeys(record.backend, record.kernel, record.cache).of(record.case_id);
}

std::optional<double> rank_skew(const CaseRecord& record) {
  std::vector<double> skews;
  for (const std::vector<double>& ranks : record.rank_ms) {
    if (ranks.empty()) continue;
    const auto [fastest, slowest] = std::minmax_element(ranks.begin(), ranks.end());
    if (*fastest > 0) skews.push_back(*slowest / *fastest - 1);
  }
  if (skews.empty()) return std::nullopt;
  std::sort(skews.begin(), skews.end());
  return quantile(skews, .5);
}

JournalWriter::JournalWriter(std::string path)
    : file_(std::move(path)), last_sync_(std::chrono::steady_clock::now()) {
  if (!file_.ends_with_newline()) file_.append("\n");
}

JournalWriter::~JournalWriter() {
  try {
    sync();
  } catch (const Error&) {
  }
}

void JournalWriter::append(const JournalRecord& record) {
  file_.append(format_record(record));
  ++unsynced_;
  sync_if_due();
}

void JournalWriter::sync_if_due() {
  if (unsynced_ == 0) return;
  if (unsynced_ >= kGroupRecords || std::chrono::steady_clock::now() - last_sync_ >= kGroupTime) sync();
}

void JournalWriter::sync() {
  if (unsynced_ > 0) file_.sync();
  unsynced_ = 0;
  last_sync_ = std::chrono::steady_clock::now();
}

std::vector<std::string> journal_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("journal-") && name.ends_with(".jsonl")) files.push_back(it->path().string());
  }
  if (error) throw Error(io_error_text("read the folder", folder, error.value()));
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> journal_files(const std::vector<std::string>& folders) {
  std::vector<std::string> files;
  for (const std::string& folder : std::set<std::string>(folders.begin(), folders.end())) {
    const std::vector<std::string> own = journal_files(folder);
    files.insert(files.end(), own.begin(), own.end());
  }
  std::sort(files.begin(), files.end(), [](const std::string& a, const std::string& b) {
    const std::filesystem::path left(a), right(b);
    return std::pair(left.filename(), left) < std::pair(right.filename(), right);
  });
  return files;
}

JournalReader::JournalReader(std::string path, const OpRegistry& ops)
    : path_(std::move(path)), ops_(ops), file_(std::make_unique<std::ifstream>(path_, std::ios::binary)) {
  if (!*file_) throw Error(io_error_text("read", path_, errno));
}

JournalReader::~JournalReader() = default;

JournalReader::Item JournalReader::parse(const std::string& line, uint64_t number, FlatJson& memory) const {
  try {
    return parse_record(line, ops_, memory);
  } catch (const NewerJournal& e) {
    throw Error(fmt::format("{}:{}: {}", path_, number, e.what()));
  } catch (const Error& e) {
    return DamagedLine{path_, number, e.what()};
  }
}

void JournalReader::read_block() {
  std::vector<std::string> lines;
  std::vector<uint64_t> numbers;
  std::string line;
  while (lines.size() < kBlockLines && std::getline(*file_, line)) {
    ++lines_;
    if (line.empty()) continue;
    lines.push_back(std::move(line));
    numbers.push_back(lines_);
  }
  next_ = 0;
  block_.clear();
  block_.resize(lines.size());
  in_parallel(lines.size(), kLeastPerThread, [&](size_t begin, size_t end) {
    FlatJson memory;
    for (size_t i = begin; i < end; ++i) block_[i] = parse(lines[i], numbers[i], memory);
  });
}

std::optional<JournalReader::Item> JournalReader::next() {
  if (next_ == block_.size()) read_block();
  if (next_ == block_.size()) return std::nullopt;
  return std::move(block_[next_++]);
}

std::vector<DamagedLine> read_journals(const std::vector<std::string>& files, const OpRegistry& ops,
                                       const std::function<void(JournalRecord&&)>& on_record) {
  std::vector<DamagedLine> damaged;
  for (const std::string& path : files) {
    JournalReader reader(path, ops);
    while (auto item = reader.next()) {
      if (auto* const record = std::get_if<JournalRecord>(&*item))
        on_record(std::move(*record));
      else
        damaged.push_back(std::get<DamagedLine>(std::move(*item)));
    }
  }
  return damaged;
}

}  // namespace perfatlas
