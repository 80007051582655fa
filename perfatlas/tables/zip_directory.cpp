// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/tables/zip_directory_impl.h"

namespace perfatlas {
namespace {

constexpr uint64_t kMostMemberBytes = uint64_t{1} << 31;  // no table comes near; a bound for damaged sizes
constexpr size_t kMostPathBytes = 4096;

struct OwnedMember {
  std::string path;
  ZipMember member;  // without path
};

[[noreturn]] void fail(const std::string& zip, const std::string& reason) {
  throw Error(fmt::format("{}: {}; fetch the file again", zip, reason));
}

/// Published data has plain relative paths. Others are attacks or damage.
bool leads_out(std::string_view path) {
  const auto is_bad = [](std::string_view part) { return part.empty() || part == "." || part == ".."; };
  const auto parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), is_bad) ||
         std::any_of(path.begin(), path.end(), [](char c) { return c == '\\' || (c >= 0 && c < ' '); });
}

OwnedMember current_member(const ZipFile& zip, const std::string& zip_path) {
  unz_file_info64 info{};
  char name[kMostPathBytes];
  OwnedMember found;
  if (unzGetCurrentFileInfo64(zip.get(), &info, name, sizeof name, nullptr, 0, nullptr, 0) != UNZ_OK ||
      info.size_filename >= sizeof name || unzGetFilePos64(zip.get(), &found.member.position) != UNZ_OK)
    fail(zip_path, "its directory is damaged");
  found.path.assign(name, info.size_filename);
  found.member.bytes = info.uncompressed_size;
  found.member.checksum = info.crc;
  const std::string_view path = std::string_view(found.path).substr(0, found.path.find_last_not_of('/') + 1);
  if (leads_out(path))
    throw Error(fmt::format(
        "{}: the name of its member '{}' leads out of a folder; this is no published data, take it "
        "from another place",
        zip_path, found.path));
  if (info.uncompressed_size > kMostMemberBytes)
    fail(zip_path, fmt::format("member {} claims to have {} bytes", path, info.uncompressed_size));
  return found;
}

}  // namespace

ZipDirectory ZipDirectory::read(const std::string& path) {
  const ZipFile zip(path);
  std::vector<OwnedMember> members;
  int status = unzGoToFirstFile(zip.get());
  for (; status == UNZ_OK; status = unzGoToNextFile(zip.get()))
    if (OwnedMember member = current_member(zip, path); !member.path.ends_with('/'))
      members.push_back(std::move(member));
  if (status != UNZ_END_OF_LIST_OF_FILE) fail(path, "its directory is damaged");
  std::sort(members.begin(), members.end(),
            [](const OwnedMember& a, const OwnedMember& b) { return a.path < b.path; });
  const auto twice = std::adjacent_find(members.begin(), members.end(),
                                        [](const auto& a, const auto& b) { return a.path == b.path; });
  if (twice != members.end()) fail(path, fmt::format("it has the member {} twice", twice->path));

  auto owned = std::make_shared<std::string>();
  const auto append = [&](const auto& value) {
    owned->append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  append(uint64_t(members.size()));
  uint64_t name_begin = sizeof(uint64_t) + members.size() * sizeof(Record);
  for (const auto& [name, member] : members) {
    append(Record{name_begin, name.size(), member.bytes, member.checksum,
                  member.position.pos_in_zip_directory, member.position.num_of_file});
    name_begin += name.size();
  }
  for (const OwnedMember& member : members) *owned += member.path;
  const std::string_view all(*owned);
  return ZipDirectory({all.data(), all.size(), std::move(owned)}, members.size());
}

std::optional<ZipDirectory> ZipDirectory::of_bytes(SharedBytes bytes) {
  uint64_t count = 0;
  if (bytes.bytes < sizeof count) return std::nullopt;
  std::memcpy(&count, bytes.data, sizeof count);
  const size_t total = bytes.bytes;
  if (count > (total - sizeof count) / sizeof(Record)) return std::nullopt;
  ZipDirectory directory(std::move(bytes), size_t(count));
  for (size_t i = 0; i < directory.count_; ++i)
    if (const Record r = directory.record(i); r.name_begin > total || r.name_bytes > total - r.name_begin)
      return std::nullopt;
  return directory;
}

ZipDirectory::Record ZipDirectory::record(size_t number) const {
  Record found{};
  std::memcpy(&found, static_cast<const char*>(bytes_.data) + sizeof(uint64_t) + number * sizeof(Record),
              sizeof found);
  return found;
}

ZipMember ZipDirectory::operator[](size_t number) const {
  const Record r = record(number);
  return {{static_cast<const char*>(bytes_.data) + r.name_begin, r.name_bytes},
          r.bytes,
          r.checksum,
          {r.directory_offset, r.directory_number}};
}

size_t ZipDirectory::lower_bound(std::string_view path) const {
  size_t from = 0, to = count_;
  while (from < to) {
    const size_t middle = from + (to - from) / 2;
    if ((*this)[middle].path < path)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

}  // namespace perfatlas
