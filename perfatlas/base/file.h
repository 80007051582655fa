// SPDX-License-Identifier: Apache-2.0
// Files that are never half-written. Every function throws Error naming the path, the reason and what to do.
// A file-size limit (RLIMIT_FSIZE) is respected before writing, so that no SIGXFSZ is ever raised.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace perfatlas {

/// One line for a failed system call: "cannot write /x/y: No space left on device; free some space and ...".
/// `verb` is what was tried ("write", "create", "lock"), `error_number` an errno.
std::string io_error_text(std::string_view verb, const std::string& path, int error_number);

/// The whole content of a file. Throws Error.
std::string read_file(const std::string& path);

bool file_exists(const std::string& path);

/// Creates the folder and those above it; fine when it exists. Throws Error, also when it cannot be written to.
void make_writable_folder(const std::string& path);

/// An open file descriptor, closed when it goes. Always close-on-exec. Movable.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// A new version of a file, written beside it under a temporary name and put in its place by commit(): readers see
/// the old content or the new one, never a mix, also after a power cut. Without commit() nothing changes.
class AtomicFile {
 public:
  /// Creates the temporary file in the folder of `path`. Throws Error.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends to the new version (buffered). Throws Error on a full disk or a reached size limit.
  void write(std::string_view bytes);
  /// Flushes to the device and renames. REQUIRES: not called before. Throws Error; the old version then stays.
  void commit();

 private:
  void flush();

  std::string path_, temporary_, buffer_;
  FileDescriptor fd_;
  uint64_t written_ = 0;
};

/// Replaces `path` atomically by `content`.
void replace_file(const std::string& path, std::string_view content);

/// Puts a finished file that another library wrote at `temporary` in place of `path`: flushed to the device, renamed,
/// folder flushed. REQUIRES: both in the same folder.
void put_in_place(const std::string& temporary, const std::string& path);

/// A file that only grows. Each append is whole or not there: when the disk is full, what was written of it is
/// taken back before the Error is thrown.
class AppendFile {
 public:
  /// Opens or creates. Throws Error.
  explicit AppendFile(std::string path);

  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }
  /// True for an empty file. False means that a writer was stopped in the middle of a line.
  bool ends_with_newline() const;

  /// One write to the operating system: survives the death of this process, not yet a power cut.
  void append(std::string_view bytes);
  /// Makes everything appended so far survive a power cut. Throws Error, also when the file is no longer at its path:
  /// removed, moved or replaced, so that nobody would find what was appended.
  void sync();

 private:
  std::string path_;
  FileDescriptor fd_;
  uint64_t size_ = 0;
};

/// A folder of its own below the system's place for temporary files, removed with its content when it goes.
class TemporaryFolder {
 public:
  /// Throws Error.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of an entry.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Exclusive use of a folder by one live process; released when it goes or when the process dies.
class FolderLock {
 public:
  /// Takes the lock file `folder`/lock and writes this process's id and host into it. Throws Error naming the process
  /// and host that hold it.
  explicit FolderLock(const std::string& folder);

 private:
  FileDescriptor fd_;
};

}  // namespace perfatlas
