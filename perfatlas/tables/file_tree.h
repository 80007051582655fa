// SPDX-License-Identifier: Apache-2.0
// Published data as files, wherever they lie: a folder, or a wheel (a zip file) that is read without unpacking.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

struct FileEntry {
  std::string path;    // relative to the tree, '/' between folders
  uint64_t bytes = 0;  // unpacked
  uint64_t stamp = 0;  // changes with the content: time of change in a folder, checksum in a wheel
  bool operator==(const FileEntry&) const = default;
};

/// Read-only, thread-safe.
class FileTree {
 public:
  virtual ~FileTree() = default;

  /// What the tree was opened from, for errors.
  virtual const std::string& source() const = 0;
  /// Every file below `folder` ("" for all), sorted by path. Empty when there is no such folder.
  virtual std::vector<FileEntry> list(std::string_view folder) const = 0;
  /// What lies directly in `folder`, sorted: names of files and, with a last '/', of folders. Empty as list().
  virtual std::vector<std::string> names_in(std::string_view folder) const = 0;
  virtual bool exists(std::string_view path) const = 0;
  /// One file, or nothing.
  virtual std::optional<FileEntry> entry(std::string_view path) const = 0;
  /// The content. Throws Error naming the source and the path.
  virtual std::string read(std::string_view path) const = 0;
  /// With a path, bytes and stamp this names a content: the folder's absolute path; the same for all wheels, whose
  /// stamps are checksums.
  virtual std::string identity() const = 0;
  /// How `path` is called in messages: "FOLDER/path", "WHEEL!path".
  virtual std::string name_of(std::string_view path) const = 0;
};

/// A folder. Links are followed, but not back to a folder that they lie in. A link that leads nowhere and a folder that
/// is called as a table are listed as files, which cannot be read. read() refuses a file that does not hold what it
/// held when it was imported (file_sums.h).
std::unique_ptr<FileTree> open_folder(const std::string& folder);

/// The members of a zip file. Its directory is read through once and then kept in `cache` (KeptFiles) until the file
/// changes. Throws Error when it is no zip file, damaged, has a member twice or one whose name would lead out of a
/// folder.
std::unique_ptr<FileTree> open_zip(const std::string& path, const std::string& cache);

}  // namespace perfatlas
