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
// A block takes some megabytes as records, a share of it some milliseconds.
constexpr size_t kBlockBytes = size_t{2} << 20, kLeastPerThread = 256;
constexpr std::string_view kJournalPrefix = "journal-";

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
    if (name.starts_with(kJournalPrefix) && name.ends_with(".jsonl")) files.push_back(it->path().string());
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
    : path_(std::move(path)), ops_(ops), file_(std::make_unique<std::ifstream>()) {
  std::error_code error;
  const auto kind = std::filesystem::status(path_, error).type();
  if (kind == std::filesystem::file_type::directory) throw Error(io_error_text("read", path_, EISDIR));
  // Opening a pipe would wait for someone to write into it.
  if (!error && kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found)
    throw Error(fmt::format("{} is no regular file, so no journal; remove it from the folder", path_));
  file_->open(path_, std::ios::binary);
  if (!*file_) throw Error(io_error_text("read", path_, errno));
}

JournalReader::~JournalReader() = default;

JournalReader::Item JournalReader::parse(std::string_view line, uint64_t number, FlatJson& memory) const {
  try {
    return parse_record(line, ops_, memory);
  } catch (const NewerJournal& e) {
    throw Error(fmt::format("{}:{}: {}", path_, number, e.what()));
  } catch (const Error& e) {
    return DamagedLine{path_, number, e.what()};
  }
}

/// The lines of the next block, without their ends; the last line of a file may lack one. They hold until the next
/// call.
std::vector<std::string_view> JournalReader::next_lines() {
  text_.erase(0, used_);
  used_ = 0;
  bool more = true;
  for (size_t wanted = kBlockBytes; more && used_ == 0; wanted *= 2) {  // longer blocks for longer lines
    const size_t had = text_.size();
    text_.resize(had + wanted);
    file_->read(text_.data() + had, std::streamsize(wanted));
    if (file_->bad()) throw Error(io_error_text("read", path_, errno));
    more = size_t(file_->gcount()) == wanted;
    text_.resize(had + size_t(file_->gcount()));
    used_ = more ? text_.rfind('\n') + 1 : text_.size();
  }
  std::vector<std::string_view> lines;
  for (std::string_view rest = std::string_view(text_).substr(0, used_); !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

std::vector<JournalReader::Item> JournalReader::next_block() {
  std::vector<Item> items;
  while (items.empty()) {  // a block of empty lines says nothing yet
    std::vector<std::string_view> lines = next_lines();
    if (lines.empty()) break;
    std::vector<uint64_t> numbers;
    for (const std::string_view line : lines) {
      ++lines_;
      if (!line.empty()) numbers.push_back(lines_);
    }
    std::erase_if(lines, [](std::string_view line) { return line.empty(); });
    items.resize(lines.size());
    in_parallel(lines.size(), kLeastPerThread, [&](size_t begin, size_t end) {
      FlatJson memory;
      for (size_t i = begin; i < end; ++i) items[i] = parse(lines[i], numbers[i], memory);
    });
  }
  return items;
}

std::vector<DamagedLine> read_journal_blocks(const std::vector<std::string>& files, const OpRegistry& ops,
                                             const std::function<void(JournalBlock&&)>& on_block) {
  std::vector<DamagedLine> damaged;
  for (const std::string& path : files) {
    JournalReader reader(path, ops);
    bool first = true;
    for (auto items = reader.next_block(); !items.empty(); items = reader.next_block()) {
      JournalBlock block{path, first, {}};
      first = false;
      block.records.reserve(items.size());
      for (JournalReader::Item& item : items) {
        if (auto* const record = std::get_if<JournalRecord>(&item))
          block.records.push_back(std::move(*record));
        else
          damaged.push_back(std::get<DamagedLine>(std::move(item)));
      }
      on_block(std::move(block));
    }
  }
  return damaged;
}

std::vector<DamagedLine> read_journals(const std::vector<std::string>& files, const OpRegistry& ops,
                                       const std::function<void(JournalRecord&&)>& on_record) {
  return read_journal_blocks(files, ops, [&](JournalBlock&& block) {
    for (JournalRecord& record : block.records) on_record(std::move(record));
  });
}

std::string run_id_of_file(const std::string& path) {
  return std::filesystem::path(path).stem().string().substr(kJournalPrefix.size());
}

}  // namespace perfatlas
