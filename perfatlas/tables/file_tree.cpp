// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/file_tree.h"

#include <algorithm>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"

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
    if (error || !found.is_regular_file(error)) return std::nullopt;
    return entry_of(found);
  }
  std::string read(std::string_view path) const override { return read_file(name_of(path)); }
  std::string name_of(std::string_view path) const override { return folder_ + "/" + std::string(path); }

  std::vector<FileEntry> list(std::string_view folder) const override {
    std::vector<FileEntry> found;
    std::error_code error;
    const fs::path top = fs::path(folder_) / folder;
    if (!fs::is_directory(top, error)) return found;
    fs::recursive_directory_iterator it(top, fs::directory_options::follow_directory_symlink, error), end;
    for (; !error && it != end; it.increment(error)) {
      std::error_code gone;
      if (!it->is_regular_file(gone)) continue;
      found.push_back(entry_of(*it));
    }
    if (error) throw Error(io_error_text("list", top.string(), error.value()));
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return found;
  }

 private:
  FileEntry entry_of(const fs::directory_entry& file) const {
    std::error_code gone;
    return {file.path().lexically_relative(folder_).generic_string(), uint64_t(file.file_size(gone)),
            uint64_t(file.last_write_time(gone).time_since_epoch().count())};
  }
  std::string folder_;
};

}  // namespace

std::unique_ptr<FileTree> open_folder(const std::string& folder) {
  return std::make_unique<FolderTree>(folder);
}

}  // namespace perfatlas
