// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/heap.h"

#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

namespace perfatlas {
namespace {

constexpr int kHeapBytes = 32 << 20;         // taken at once, touched as needed
constexpr int kLargestInHeap = 32 << 20;     // the largest threshold that glibc takes
constexpr size_t kMoreThanIsFree = 1 << 18;  // of the heap at the start of a program
constexpr uintptr_t kLargePage = 2 << 20;

}  // namespace

void use_large_pages() {
  mallopt(M_MMAP_THRESHOLD, kLargestInHeap);
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  mallopt(M_TOP_PAD, kHeapBytes);
  const auto begin = reinterpret_cast<uintptr_t>(::sbrk(0));
  void* volatile const block =
      std::malloc(kMoreThanIsFree);  // volatile: else the compiler leaves both calls out
  std::free(block);
  const auto end = reinterpret_cast<uintptr_t>(::sbrk(0));
  const uintptr_t first = (begin + kLargePage - 1) / kLargePage * kLargePage;
  if (end > first) (void)::madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);  // a wish
}

}  // namespace perfatlas
#else
namespace perfatlas {
void use_large_pages() {}
}  // namespace perfatlas
#endif
