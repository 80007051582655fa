// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 16;

std::string_view remedy(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there and run the same command again";
    case EFBIG:
      return "raise the file-size limit (ulimit -f) and run the same command again";
    case EROFS:
      return "choose a folder on a file system that is not mounted read-only";
    case EACCES:
    case EPERM:
      return "check the permissions or choose another folder";
    case ENOENT:
      return "check the path";
    case ENOTDIR:
      return "a part of the path is a file, not a folder";
    case EISDIR:
      return "this is a folder; name a file";
    default:
      return "check the file system";
  }
}

[[noreturn]] void fail(std::string_view verb, const std::string& path, int error_number) {
  throw Error(io_error_text(verb, path, error_number));
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// Writes all of `bytes` at the end of a file of `size` bytes, or returns the errno. May write a part of it first.
int write_all(int fd, std::string_view bytes, uint64_t size) {
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      size + bytes.size() > limit.rlim_cur)
    return EFBIG;
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(size_t(count));
  }
  return 0;
}

void sync_folder(const std::string& path) {
  const FileDescriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems cannot flush a folder (EINVAL); the rename itself is then all there is.
  if (folder && fsync(folder.get()) != 0 && errno != EINVAL && errno != ENOTSUP)
    fail("flush", folder_of(path), errno);
}

}  // namespace

std::string io_error_text(std::string_view verb, const std::string& path, int error_number) {
  return fmt::format("cannot {} {}: {}; {}", verb, path, std::generic_category().message(error_number),
                     remedy(error_number));
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void FileDescriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string read_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail("read", path, errno);
  std::string content;
  size_t used = 0;
  while (true) {
    content.resize(used + kBufferBytes);
    const ssize_t count = ::read(fd.get(), content.data() + used, kBufferBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path, errno);
    used += size_t(count);
    if (count == 0) break;
  }
  content.resize(used);
  return content;
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

void make_writable_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error == std::errc::file_exists && std::filesystem::is_symlink(path) && !file_exists(path))
    throw Error(
        fmt::format("{} is a symbolic link to {}, which is not there; create that folder or remove the link",
                    path, std::filesystem::read_symlink(path).string()));
  if (error) fail("create the folder", path, error.value());
  if (!std::filesystem::is_directory(path)) fail("use as a folder", path, ENOTDIR);
  if (::access(path.c_str(), W_OK | X_OK) != 0) fail("write into the folder", path, errno);
}

AtomicFile::AtomicFile(std::string path)
    : path_(std::move(path)), temporary_(fmt::format("{}.{}.tmp", path_, ::getpid())) {
  fd_ = FileDescriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd_) fail("create", temporary_, errno);
}

AtomicFile::~AtomicFile() {
  if (fd_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void AtomicFile::flush() {
  if (const int error_number = write_all(fd_.get(), buffer_, written_)) fail("write", path_, error_number);
  written_ += buffer_.size();
  buffer_.clear();
}

void AtomicFile::commit() {
  PERFATLAS_ASSERT(bool(fd_));
  flush();
  if (fsync(fd_.get()) != 0) fail("flush", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("replace", path_, errno);
  fd_.reset();
  sync_folder(path_);
}

void replace_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

void put_in_place(const std::string& temporary, const std::string& path) {
  {
    const FileDescriptor fd(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || fsync(fd.get()) != 0) fail("flush", temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("replace", path, errno);
  sync_folder(path);
}

AppendFile::AppendFile(std::string path) : path_(std::move(path)) {
  const bool is_new = !file_exists(path_);
  fd_ = FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  struct stat status {};
  if (!fd_ || ::fstat(fd_.get(), &status) != 0) fail("open for appending", path_, errno);
  size_ = uint64_t(status.st_size);
  if (is_new) sync_folder(path_);
}

bool AppendFile::ends_with_newline() const {
  if (size_ == 0) return true;
  char last = 0;
  if (::pread(fd_.get(), &last, 1, off_t(size_ - 1)) != 1) fail("read", path_, errno);
  return last == '\n';
}

void AppendFile::append(std::string_view bytes) {
  if (const int error_number = write_all(fd_.get(), bytes, size_)) {
    // If taking back fails too, the reader still recognises the torn line by its checksum.
    [[maybe_unused]] const int ignored = ::ftruncate(fd_.get(), off_t(size_));
    fail("append to", path_, error_number);
  }
  size_ += bytes.size();
}

void AppendFile::sync() {
  if (fdatasync(fd_.get()) != 0) fail("flush", path_, errno);
  struct stat own = {};
  struct stat there = {};
  if (::fstat(fd_.get(), &own) != 0) fail("flush", path_, errno);
  if (::stat(path_.c_str(), &there) != 0 || own.st_dev != there.st_dev || own.st_ino != there.st_ino)
    throw Error(fmt::format(
        "{} was removed, moved or replaced while it was written; put it back if you still have it, and run "
        "the same command again",
        path_));
}

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  path_ = (std::filesystem::temp_directory_path(error) / "perfatlas-XXXXXX").string();
  if (error || ::mkdtemp(path_.data()) == nullptr)
    throw Error("no temporary folder can be made (" + path_ + "); set TMPDIR to a writable folder");
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = folder + "/lock";
  fd_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!fd_) fail("create", path, errno);
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == ENOLCK || errno == EOPNOTSUPP) return;  // a file system without locks: see the header
    if (errno != EWOULDBLOCK) fail("lock", path, errno);
    const std::string holder = read_file(path);
    throw Error(
        fmt::format("{} is in use by another collection ({}); wait for it, stop it, or choose another folder",
                    folder, holder.empty() ? "which has just started" : holder));
  }
  char host[256] = "unknown host";
  ::gethostname(host, sizeof host - 1);
  const std::string text = fmt::format("process {} on {}", ::getpid(), host);
  if (::ftruncate(fd_.get(), 0) != 0 || write_all(fd_.get(), text, 0) != 0) fail("write", path, errno);
}

}  // namespace perfatlas
