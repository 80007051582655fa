// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/mpi_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/backends/device.h"

namespace perfatlas {
namespace {

constexpr size_t kHugePage = 2u << 20;
constexpr size_t kAskSystemBytes = 64u << 20;
constexpr double kGiB = 1024.0 * 1024 * 1024;

}  // namespace

std::shared_ptr<void> allocate_pages(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : size_t{4096};
  const size_t length = std::max(unit, (bytes + unit - 1) / unit * unit);
  const double available = memory_available_bytes().value_or(double(length));
  const size_t mapped = length + unit;  // so that the block can start on a huge page
  void* const base =
      length >= kAskSystemBytes && double(length) > available
          ? MAP_FAILED
          : ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED)
    throw OutOfMemory(
        fmt::format("out of memory: {:.2f} GiB are needed, {:.2f} GiB are free; choose fewer ranks "
                    "or smaller messages",
                    double(length) / kGiB, available / kGiB));
  void* const block = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(base) + unit - 1) / unit * unit);
  if (unit == kHugePage) ::madvise(block, length, MADV_HUGEPAGE);  // advice: small pages work as well
  return {block, [base, mapped](void*) { ::munmap(base, mapped); }};
}

}  // namespace perfatlas
