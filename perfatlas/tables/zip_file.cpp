// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/tables/zip_file_impl.h"

namespace perfatlas {

/// What minizip reads through. Its own stream loses its buffer at every seek, and it seeks twice per directory entry:
/// thousands of system calls for a wheel. This one keeps a piece of the file wherever the position goes.
class ZipFile::Window {
 public:
  explicit Window(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (fd_ && ::fstat(fd_.get(), &status) == 0) size_ = ZPOS64_T(status.st_size);
  }

  zlib_filefunc64_def functions() {
    zlib_filefunc64_def f{};
    f.zopen64_file = [](voidpf self, const void*, int) -> voidpf { return of(self).fd_ ? self : nullptr; };
    f.zread_file = [](voidpf, voidpf self, void* into, uLong bytes) { return of(self).read(into, bytes); };
    f.ztell64_file = [](voidpf, voidpf self) { return of(self).position_; };
    f.zseek64_file = [](voidpf, voidpf self, ZPOS64_T offset, int origin) {
      return of(self).seek(offset, origin);
    };
    f.zclose_file = [](voidpf, voidpf) { return 0; };  // the descriptor is closed with the window
    f.zerror_file = [](voidpf, voidpf self) { return int(of(self).failed_); };
    f.opaque = this;
    return f;
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 15;

  static Window& of(voidpf self) { return *static_cast<Window*>(self); }

  long seek(ZPOS64_T offset, int origin) {
    if (origin == ZLIB_FILEFUNC_SEEK_CUR) offset += position_;
    if (origin == ZLIB_FILEFUNC_SEEK_END) offset += size_;
    if (offset > size_) return -1;
    position_ = offset;
    return 0;
  }

  uLong read(void* into, uLong bytes) {
    uLong done = 0;
    if (position_ >= begin_ && position_ + bytes <= begin_ + held_) {  // headers are read byte by byte
      std::memcpy(into, bytes_.get() + (position_ - begin_), bytes);
      position_ += bytes;
      return bytes;
    }
    while (done < bytes) {
      if (position_ < begin_ || position_ >= begin_ + held_) fill();
      if (position_ >= begin_ + held_) break;
      const auto offset = size_t(position_ - begin_);
      const size_t piece = std::min<size_t>(bytes - done, held_ - offset);
      std::memcpy(static_cast<char*>(into) + done, bytes_.get() + offset, piece);
      done += piece;
      position_ += piece;
    }
    return done;
  }

  /// Holds the block around the position: the end of the file is looked through backwards.
  void fill() {
    begin_ = position_ / kBytes * kBytes;
    const ssize_t count = ::pread(fd_.get(), bytes_.get(), kBytes, off_t(begin_));
    failed_ |= count < 0;
    held_ = count > 0 ? size_t(count) : 0;
  }

  FileDescriptor fd_;
  ZPOS64_T size_ = 0, position_ = 0;
  std::unique_ptr<char[]> bytes_{new char[kBytes]};  // not cleared
  ZPOS64_T begin_ = 0;                               // of what is held in them
  size_t held_ = 0;
  bool failed_ = false;
};

ZipFile::ZipFile(const std::string& path) : window_(std::make_unique<Window>(path)) {
  zlib_filefunc64_def functions = window_->functions();
  handle_ = unzOpen2_64(path.c_str(), &functions);
  if (handle_ == nullptr)
    throw Error(fmt::format("{}: this is not a zip file, or it is cut short; fetch it again", path));
}

ZipFile::~ZipFile() { unzClose(handle_); }

}  // namespace perfatlas
