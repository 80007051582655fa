// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_device.h"

#include <fmt/format.h>
#include <omp.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "perfatlas/backends/cpu/core_set.h"
#include "perfatlas/backends/cpu/cpu_batch.h"
#include "perfatlas/backends/cpu/cpu_facts.h"
#include "perfatlas/backends/cpu/memory_stream.h"
#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

constexpr size_t kHugePage = 2u << 20;
constexpr size_t kParallelCopyBytes = 1u << 20;
constexpr size_t kAskSystemBytes = 64u << 20;
constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kEvictionOverCache = 1.25;  // least-recently-used replacement then keeps nothing else

bool run_on(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

/// OpenMP reuses its threads, so pinning each once binds every later parallel region.
void pin_openmp_threads(const std::vector<int>& cores) {
  omp_set_dynamic(0);
  omp_set_num_threads(int(cores.size()));
  bool pinned = run_on({cores[0]});
#pragma omp parallel reduction(&& : pinned)
  pinned = pinned && run_on({cores[size_t(omp_get_thread_num())]});
  if (!pinned)
    throw Error(
        fmt::format("device {}: its cores cannot be pinned to (sched_setaffinity); choose other --devices",
                    core_set_text(cores)));
}

std::vector<int> choose_cores(std::string_view text, const std::vector<int>& allowed) {
  if (text.empty()) return allowed;
  std::vector<int> wanted = parse_core_set(text);
  require_cores(wanted, allowed);
  return wanted;
}

[[noreturn]] void refuse_memory(size_t bytes, double available_bytes) {
  throw OutOfMemory(
      fmt::format("out of memory: {:.2f} GiB are needed, {:.2f} GiB are free; choose smaller sizes or "
                  "end other programs",
                  double(bytes) / kGiB, available_bytes / kGiB));
}

}  // namespace

CpuDevice::CpuDevice(std::string_view cores)
    : allowed_(allowed_cores()),
      cores_(choose_cores(cores, allowed_)),
      isa_(detect_cpu_isa()),
      sensors_(cores_) {
  pin_openmp_threads(cores_);
  info_.id = core_set_text(cores_);
  info_.name = cpu_model_name();
  info_.memory_bytes = memory_limit_bytes().value_or(0);
  info_.llc_bytes = last_level_cache_bytes(cores_).value_or(0);
  info_.versions["onednn"] = onednn_version();
  info_.versions["openmp"] = std::to_string(_OPENMP);
  if (const auto kernel = first_line("/proc/sys/kernel/osrelease")) info_.versions["linux"] = *kernel;
}

CpuDevice::~CpuDevice() { run_on(allowed_); }

std::shared_ptr<void> CpuDevice::allocate(size_t bytes) {
  const size_t unit = bytes >= kHugePage ? kHugePage : size_t(4096);
  const size_t length = std::max(unit, (bytes + unit - 1) / unit * unit);
  if (length >= kAskSystemBytes)
    if (const auto available = memory_available_bytes(); available && double(length) > *available)
      refuse_memory(length, *available);
  // One unit more than asked for, so that the block can start on a huge page.
  const size_t mapped = length + unit;
  void* const base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) refuse_memory(length, memory_available_bytes().value_or(0));
  const auto address = (reinterpret_cast<uintptr_t>(base) + unit - 1) / unit * unit;
  void* const block = reinterpret_cast<void*>(address);
  if (unit == kHugePage) ::madvise(block, length, MADV_HUGEPAGE);  // advice: small pages work as well
  return {block, [base, mapped](void*) { ::munmap(base, mapped); }};
}

void CpuDevice::copy(void* to, const void* from, size_t bytes) {
  if (bytes < kParallelCopyBytes || threads() == 1) {
    std::memcpy(to, from, bytes);
    return;
  }
  const size_t share = (bytes / size_t(threads()) + 4095) / 4096 * 4096;
#pragma omp parallel
  {
    const size_t begin = std::min(bytes, share * size_t(omp_get_thread_num()));
    const size_t end = std::min(bytes, begin + share);
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin, end - begin);
  }
}

std::unique_ptr<TimedBatch> CpuDevice::make_batch(const BatchRequest& request) {
  return std::make_unique<CpuBatch>(request, *this);
}

void CpuDevice::evict_caches() {
  if (!eviction_) {
    if (info_.llc_bytes <= 0)
      throw Error(
          "the cold cache state needs the size of the last-level cache, which this system does not tell; use "
          "--cache hot");
    eviction_bytes_ = size_t(kEvictionOverCache * info_.llc_bytes);
    eviction_ = allocate(eviction_bytes_);
    write_all(eviction_.get(), eviction_bytes_);  // untouched pages would all be the one page of zeros
  }
  read_all(eviction_.get(), eviction_bytes_);
}

}  // namespace perfatlas
