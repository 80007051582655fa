// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/backends/device.h"
#include "perfatlas/base/file.h"

namespace perfatlas {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = 2u << 20;
constexpr size_t kAskSystemBytes = 64u << 20;
constexpr double kGiB = 1024.0 * 1024 * 1024;

size_t rounded_up(size_t bytes, size_t unit) { return std::max(unit, (bytes + unit - 1) / unit * unit); }

/// The system would grant the address range without having the memory.
void require_free(size_t length) {
  const auto available = memory_available_bytes();
  if (length >= kAskSystemBytes && available && double(length) > *available)
    throw OutOfMemory(
        fmt::format("out of memory: {:.2f} GiB are needed, {:.2f} GiB are free; choose fewer ranks "
                    "or smaller messages",
                    double(length) / kGiB, *available / kGiB));
}

[[noreturn]] void refuse(size_t length) {
  throw OutOfMemory(
      fmt::format("out of memory: the system grants no {:.2f} GiB; choose fewer ranks or smaller "
                  "messages",
                  double(length) / kGiB));
}

}  // namespace

std::shared_ptr<void> SharedMemory::allocate(size_t bytes) {
  const size_t length = rounded_up(bytes, kPage);
  require_free(length);
  const int fd = ::memfd_create("perfatlas-operands", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, off_t(length)) != 0) refuse(length);
  void* const block = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (block == MAP_FAILED) refuse(length);
  ::madvise(block, length, MADV_HUGEPAGE);  // advice: small pages work as well
  const auto first = reinterpret_cast<uintptr_t>(block);
  (*blocks_)[first] = {fd, length};
  return {block, [blocks = blocks_, first, fd, length](void* at) {
            blocks->erase(first);
            ::munmap(at, length);
            ::close(fd);
          }};
}

SharedPlace SharedMemory::place_of(const void* address) const {
  const auto at = reinterpret_cast<uintptr_t>(address);
  auto block = blocks_->upper_bound(at);
  PERFATLAS_ASSERT(block != blocks_->begin());
  --block;
  PERFATLAS_ASSERT(at - block->first < block->second.bytes);
  return {uint64_t(block->second.fd), at - block->first};
}

std::shared_ptr<void> map_shared(int owner, SharedPlace place, size_t bytes) {
  const std::string path = fmt::format("/proc/{}/fd/{}", owner, place.fd);
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file) throw Error(io_error_text("open", path, errno));
  const uint64_t skipped = place.offset % kPage;  // mappings start on pages
  const size_t length = bytes + skipped;
  void* const base =
      ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), off_t(place.offset - skipped));
  if (base == MAP_FAILED) throw Error(io_error_text("map", path, errno));
  return {static_cast<char*>(base) + skipped, [base, length](void*) { ::munmap(base, length); }};
}

std::shared_ptr<void> allocate_pages(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : kPage;
  const size_t length = rounded_up(bytes, unit);
  require_free(length);
  const size_t mapped = length + unit;  // so that the block can start on a huge page
  void* const base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) refuse(length);
  void* const block = reinterpret_cast<void*>(rounded_up(reinterpret_cast<uintptr_t>(base), unit));
  if (unit == kHugePage) ::madvise(block, length, MADV_HUGEPAGE);  // advice: small pages work as well
  return {block, [base, mapped](void*) { ::munmap(base, mapped); }};
}

}  // namespace perfatlas
