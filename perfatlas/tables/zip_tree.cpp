// SPDX-License-Identifier: Apache-2.0
// A wheel as a tree: its directory is read once, members are unpacked when they are asked for.
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/zip_file_impl.h"

namespace perfatlas {
namespace {

struct Member {
  FileEntry entry;
  unz64_file_pos position{};
};

class ZipTree final : public FileTree {
 public:
  ZipTree(const std::string& path, const std::string& prefix) : path_(path), prefix_(prefix) {
    const ZipFile zip(path);
    int status = unzGoToFirstFile(zip.get());
    for (; status == UNZ_OK; status = unzGoToNextFile(zip.get())) add_member(zip);
    if (status != UNZ_END_OF_LIST_OF_FILE) fail("its directory is damaged");
    std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) {
      return std::string_view(a.entry.path) < std::string_view(b.entry.path);
    });
  }

  const std::string& source() const override { return path_; }
  std::string name_of(std::string_view path) const override {
    return fmt::format("{}!{}{}", path_, prefix_, path);
  }
  std::string identity() const override { return "wheel"; }
  bool exists(std::string_view path) const override { return find(path) != nullptr; }
  std::optional<FileEntry> entry(std::string_view path) const override {
    const Member* const member = find(path);
    return member == nullptr ? std::nullopt : std::optional(member->entry);
  }

  std::vector<FileEntry> list(std::string_view folder) const override {
    std::string start(folder);
    if (!start.empty() && !start.ends_with('/')) start += '/';
    std::vector<FileEntry> found;
    for (auto it = lower_bound(start); it != members_.end() && it->entry.path.starts_with(start); ++it)
      found.push_back(it->entry);
    return found;
  }

  std::string read(std::string_view path) const override {
    const Member* const member = find(path);
    if (member == nullptr) throw Error(fmt::format("{}: there is no such member", name_of(path)));
    const ZipFile zip(path_);
    unz64_file_pos position = member->position;
    if (unzGoToFilePos64(zip.get(), &position) != UNZ_OK || unzOpenCurrentFile(zip.get()) != UNZ_OK)
      fail(fmt::format("member {} cannot be opened", path));
    std::string content(member->entry.bytes, '\0');
    size_t used = 0;
    while (used < content.size()) {
      const size_t piece = std::min(content.size() - used, kPieceBytes);
      const int count = unzReadCurrentFile(zip.get(), content.data() + used, unsigned(piece));
      if (count <= 0) break;
      used += size_t(count);
    }
    // Only a wholly read member is checked against its checksum.
    if (unzCloseCurrentFile(zip.get()) != UNZ_OK || used != content.size())
      fail(fmt::format("member {} is damaged", path));
    return content;
  }

 private:
  static constexpr size_t kPieceBytes = size_t{1} << 24;
  static constexpr uint64_t kMostMemberBytes = uint64_t{1}
                                               << 31;  // no table comes near; a bound for damaged sizes

  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(fmt::format("{}: {}; fetch the file again", path_, reason));
  }
  void add_member(const ZipFile& zip) {
    unz_file_info64 info{};
    char name[4096];
    Member member;
    if (unzGetCurrentFileInfo64(zip.get(), &info, name, sizeof name, nullptr, 0, nullptr, 0) != UNZ_OK ||
        unzGetFilePos64(zip.get(), &member.position) != UNZ_OK)
      fail("its directory is damaged");
    const std::string_view path(name);
    if (!path.starts_with(prefix_) || path.ends_with('/')) return;
    if (info.uncompressed_size > kMostMemberBytes)
      fail(fmt::format("member {} claims to have {} bytes", path, info.uncompressed_size));
    member.entry = {std::string(path.substr(prefix_.size())), info.uncompressed_size, info.crc};
    members_.push_back(std::move(member));
  }
  std::vector<Member>::const_iterator lower_bound(std::string_view path) const {
    return std::lower_bound(
        members_.begin(), members_.end(), path,
        [](const Member& member, std::string_view p) { return std::string_view(member.entry.path) < p; });
  }
  const Member* find(std::string_view path) const {
    const auto it = lower_bound(path);
    return it != members_.end() && it->entry.path == path ? &*it : nullptr;
  }

  std::string path_, prefix_;
  std::vector<Member> members_;  // sorted by path
};

}  // namespace

std::unique_ptr<FileTree> open_zip(const std::string& path, const std::string& prefix) {
  return std::make_unique<ZipTree>(path, prefix);
}

}  // namespace perfatlas
