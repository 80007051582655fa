// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/kept_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "perfatlas/base/file.h"

namespace perfatlas {
namespace {

/// Raised when the bytes of anything that is kept change, or what is made of the same source.
constexpr uint64_t kRevision = 3;
constexpr std::string_view kMagic = "PATABLE\n";

/// Before the payload. Machines of one kind write and read it: this is no exchange format.
struct Head {
  char magic[8];
  uint64_t revision, state_high, state_low, form, payload_bytes, payload_hash;
};

/// A whole file in memory, read-only. Empty when there is none.
SharedBytes map_file(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || status.st_size <= 0) return {};
  const auto bytes = size_t(status.st_size);
  void* const data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd.get(), 0);
  if (data == MAP_FAILED) return {};
  return {data, bytes, std::shared_ptr<const void>(data, [bytes](void* p) { ::munmap(p, bytes); })};
}

/// Writing so much would raise SIGXFSZ.
bool beyond_size_limit(size_t bytes) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes.remove_prefix(size_t(count));
  }
  return true;
}

}  // namespace

std::string default_table_cache() {
  const auto environment = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    return cache + "/perfatlas/tables";
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.cache/perfatlas/tables";
  return {};
}

std::string KeptFiles::path_of(std::string_view name) const {
  const Hash128 hash = hash128(name);
  return fmt::format("{}/{}{}.table", folder_, hex16(hash.high), hex16(hash.low));
}

std::optional<SharedBytes> KeptFiles::load(std::string_view name, const KeptKey& made_from) const {
  if (!enabled()) return std::nullopt;
  const SharedBytes file = map_file(path_of(name));
  Head head{};
  if (file.bytes < sizeof head) return std::nullopt;
  std::memcpy(&head, file.data, sizeof head);
  const std::string_view payload(static_cast<const char*>(file.data) + sizeof head, file.bytes - sizeof head);
  if (std::string_view(head.magic, sizeof head.magic) != kMagic || head.revision != kRevision ||
      Hash128{head.state_high, head.state_low} != made_from.state || head.form != made_from.form ||
      head.payload_bytes != payload.size() || head.payload_hash != hash128(payload).low)
    return std::nullopt;
  return SharedBytes{payload.data(), payload.size(), file.owner};
}

bool KeptFiles::store(std::string_view name, const KeptKey& made_from, std::string_view payload) const {
  if (!enabled() || beyond_size_limit(sizeof(Head) + payload.size())) return false;
  Head head{{},
            kRevision,
            made_from.state.high,
            made_from.state.low,
            made_from.form,
            payload.size(),
            hash128(payload).low};
  std::memcpy(head.magic, kMagic.data(), kMagic.size());
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return false;
  const std::string path = path_of(name);
  std::string temporary = path + ".XXXXXX";
  // Not flushed to the device: after a power cut the checksum tells, and the thing is made again.
  bool written = false;
  {
    const FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
    if (!fd) return false;
    written = ::fchmod(fd.get(), 0644) == 0 &&
              write_all(fd.get(), {reinterpret_cast<const char*>(&head), sizeof head}) &&
              write_all(fd.get(), payload);
  }
  if (written) std::filesystem::rename(temporary, path, error);
  if (written && !error) return true;
  std::filesystem::remove(temporary, error);
  return false;
}

}  // namespace perfatlas
