// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/file_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/tables/file_sums.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

class FolderTree final : public FileTree {
 public:
  explicit FolderTree(const std::string& folder) : folder_(folder) {}

  const std::string& source() const override { return folder_; }
  bool exists(std::string_view path) const override { return file_exists(name_of(path)); }
  std::string identity() const override {
    std::error_code ignored;
    return fs::absolute(folder_, ignored).lexically_normal().string();
  }
  std::optional<FileEntry> entry(std::string_view path) const override {
    std::error_code error;
    const fs::directory_entry found(name_of(path), error);
    if (error || !(found.is_regular_file(error) || in_place_of_a_file(found))) return std::nullopt;
    return entry_of(found);
  }
  std::string read(std::string_view path) const override {
    std::string content = read_file(name_of(path));
    if (!sums().fits(path, content))
      throw Error(fmt::format(
          "{}: it does not hold what was imported (its checksum in {} differs): run perfatlas import "
          "again, or remove its line there if the change is meant",
          name_of(path), kFileSumsName));
    return content;
  }
  std::string name_of(std::string_view path) const override { return folder_ + "/" + std::string(path); }

  std::vector<std::string> names_in(std::string_view folder) const override {
    std::vector<std::string> names;
    std::error_code error, gone;
    const std::string top = name_of(folder);
    if (!fs::is_directory(top, error)) return names;
    for (fs::directory_iterator it(top, error), end; !error && it != end; it.increment(error))
      names.push_back(it->path().filename().string() + (it->is_directory(gone) ? "/" : ""));
    if (error) throw Error(io_error_text("list", top, error.value()));
    std::sort(names.begin(), names.end());
    return names;
  }

  std::vector<FileEntry> list(std::string_view folder) const override {
    std::vector<FileEntry> found;
    std::error_code error;
    const fs::path top = fs::path(folder_) / folder;
    if (!fs::is_directory(top, error)) return found;
    fs::recursive_directory_iterator it(top, fs::directory_options::follow_directory_symlink, error), end;
    for (; !error && it != end; it.increment(error)) {
      std::error_code gone;
      const bool in_place = in_place_of_a_file(*it);
      if (it->is_directory(gone) && (in_place || leads_back(*it))) it.disable_recursion_pending();
      if (in_place || it->is_regular_file(gone)) found.push_back(entry_of(*it));
    }
    if (error) throw Error(io_error_text("list", top.string(), error.value()));
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return found;
  }

 private:
  /// A link that leads nowhere, or a folder that is called as a table: listed, so that whoever reads it says what is
  /// wrong.
  static bool in_place_of_a_file(const fs::directory_entry& entry) {
    std::error_code gone;
    if (entry.is_directory(gone)) return table_file_of(entry.path().string()).has_value();
    return entry.is_symlink(gone) && !entry.exists(gone);
  }
  /// A link to one of the folders that it lies in: what is there is listed already.
  bool leads_back(const fs::directory_entry& folder) const {
    std::error_code gone;
    if (!folder.is_symlink(gone)) return false;
    for (fs::path above = folder.path().parent_path(); above.string().size() >= folder_.size();
         above = above.parent_path()) {
      if (fs::equivalent(above, folder.path(), gone)) return true;
      if (above == above.parent_path()) break;
    }
    return false;
  }
  FileEntry entry_of(const fs::directory_entry& file) const {
    std::error_code gone;
    const uint64_t bytes = file.is_regular_file(gone) ? uint64_t(file.file_size(gone)) : 0;
    return {file.path().lexically_relative(folder_).generic_string(), bytes,
            uint64_t(file.last_write_time(gone).time_since_epoch().count())};
  }
  /// Read when the first file is.
  const FileSums& sums() const {
    std::call_once(sums_read_, [&] {
      const std::string file = name_of(kFileSumsName);
      if (file_exists(file)) sums_ = FileSums::parse(read_file(file));
    });
    return sums_;
  }

  std::string folder_;
  mutable std::once_flag sums_read_;
  mutable FileSums sums_;
};

}  // namespace

std::unique_ptr<FileTree> open_folder(const std::string& folder) {
  return std::make_unique<FolderTree>(folder);
}

}  // namespace perfatlas
