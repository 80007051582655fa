// SPDX-License-Identifier: Apache-2.0
// A wheel as a tree: members are unpacked when they are asked for.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/tables/file_tree.h"
#include "perfatlas/tables/kept_files.h"
#include "perfatlas/tables/zip_directory_impl.h"

namespace perfatlas {
namespace {

/// The state of a file: another one when it was written, replaced or moved.
KeptKey state_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};  // whoever opens it says why
  const uint64_t numbers[] = {uint64_t(s.st_dev),         uint64_t(s.st_ino),
                              uint64_t(s.st_mtim.tv_sec), uint64_t(s.st_mtim.tv_nsec),
                              uint64_t(s.st_ctim.tv_sec), uint64_t(s.st_ctim.tv_nsec)};
  return {.state = {uint64_t(s.st_size), hash64({reinterpret_cast<const char*>(numbers), sizeof numbers})}};
}

ZipDirectory directory_of(const std::string& path, const std::string& cache) {
  const KeptFiles kept(cache);
  const KeptKey state = state_of(path);  // before the file is read: what is kept is never newer than it says
  std::error_code ignored;
  const std::string name =
      fmt::format("directory of the zip file {}", std::filesystem::absolute(path, ignored).string());
  if (auto bytes = kept.load(name, state))
    if (auto directory = ZipDirectory::of_bytes(std::move(*bytes))) return std::move(*directory);
  ZipDirectory directory = ZipDirectory::read(path);
  const SharedBytes& bytes = directory.bytes();
  kept.store(name, state, {static_cast<const char*>(bytes.data), bytes.bytes});
  return directory;
}

class ZipTree final : public FileTree {
 public:
  ZipTree(const std::string& path, const std::string& cache)
      : path_(path), directory_(directory_of(path, cache)) {}

  const std::string& source() const override { return path_; }
  std::string name_of(std::string_view path) const override { return fmt::format("{}!{}", path_, path); }
  std::string identity() const override { return "wheel"; }
  bool exists(std::string_view path) const override { return find(path).has_value(); }
  std::optional<FileEntry> entry(std::string_view path) const override {
    const auto member = find(path);
    return member ? std::optional(entry_of(*member)) : std::nullopt;
  }

  std::vector<FileEntry> list(std::string_view folder) const override {
    const std::string start = start_of(folder);
    std::vector<FileEntry> found;
    for (size_t i = directory_.lower_bound(start); i < directory_.size(); ++i) {
      const ZipMember member = directory_[i];
      if (!member.path.starts_with(start)) break;
      found.push_back(entry_of(member));
    }
    return found;
  }

  std::vector<std::string> names_in(std::string_view folder) const override {
    const std::string start = start_of(folder);
    std::vector<std::string> names;
    for (size_t i = directory_.lower_bound(start); i < directory_.size();) {
      const std::string_view path = directory_[i].path;
      if (!path.starts_with(start)) break;
      const size_t slash = path.find('/', start.size());
      names.emplace_back(path.substr(start.size(), slash == path.npos ? slash : slash + 1 - start.size()));
      // Behind everything that lies in the same folder.
      i = slash == path.npos ? i + 1
                             : directory_.lower_bound(std::string(path.substr(0, slash)) + char('/' + 1));
    }
    return names;
  }

  std::string read(std::string_view path) const override {
    const auto member = find(path);
    if (!member) throw Error(fmt::format("{}: there is no such member", name_of(path)));
    const ZipFile zip(path_);
    unz64_file_pos position = member->position;
    unz_file_info64 info{};
    if (unzGoToFilePos64(zip.get(), &position) != UNZ_OK ||
        unzGetCurrentFileInfo64(zip.get(), &info, nullptr, 0, nullptr, 0, nullptr, 0) != UNZ_OK ||
        unzOpenCurrentFile(zip.get()) != UNZ_OK)
      fail(fmt::format("member {} cannot be opened", path));
    if (info.crc != member->checksum || info.uncompressed_size != member->bytes)
      throw Error(fmt::format("{}: the file was replaced while it was read; try again", path_));
    std::string content(member->bytes, '\0');
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

  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(fmt::format("{}: {}; fetch the file again", path_, reason));
  }
  /// What the paths of everything in a folder start with.
  static std::string start_of(std::string_view folder) {
    std::string start(folder);
    if (!start.empty() && !start.ends_with('/')) start += '/';
    return start;
  }
  static FileEntry entry_of(const ZipMember& member) {
    return {std::string(member.path), member.bytes, member.checksum};
  }
  std::optional<ZipMember> find(std::string_view path) const {
    const size_t number = directory_.lower_bound(path);
    if (number == directory_.size() || directory_[number].path != path) return std::nullopt;
    return directory_[number];
  }

  std::string path_;
  ZipDirectory directory_;
};

}  // namespace

std::unique_ptr<FileTree> open_zip(const std::string& path, const std::string& cache) {
  return std::make_unique<ZipTree>(path, cache);
}

}  // namespace perfatlas
