// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/cpu/cpu_isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdint>

namespace perfatlas {

#if defined(__x86_64__)
namespace {

struct Leaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(uint32_t leaf, uint32_t subleaf) {
  Leaf out;
  if (!__get_cpuid_count(leaf, subleaf, &out.eax, &out.ebx, &out.ecx, &out.edx)) return {};
  return out;
}

constexpr bool bit(uint32_t word, int index) { return (word >> index) & 1; }

/// Register states that the operating system saves (Intel SDM volume 1, section 13.3).
uint64_t enabled_states() {
  constexpr int kOsxsave = 27;
  if (!bit(cpuid(1, 0).ecx, kOsxsave)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

/// Linux hands out the 8 KiB of tile data only on request (Documentation/arch/x86/xstate.rst).
bool request_tiles() {
  constexpr int kArchReqXcompPerm = 0x1023;
  constexpr int kXfeatureXtiledata = 18;
  return ::syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureXtiledata) == 0;
}

}  // namespace

CpuIsa detect_cpu_isa() {
  constexpr uint64_t kAvxStates = 0x6, kAvx512States = 0xe6, kAmxStates = 0x60000;
  const uint64_t states = enabled_states();
  const auto saved = [&](uint64_t mask) { return (states & mask) == mask; };
  const Leaf one = cpuid(1, 0), seven = cpuid(7, 0), more = cpuid(7, 1);
  CpuIsa isa;
  isa.avx2 = saved(kAvxStates) && bit(seven.ebx, 5) && bit(one.ecx, 12);
  isa.avx512 = saved(kAvx512States) && bit(seven.ebx, 16) && bit(seven.ebx, 17) && bit(seven.ebx, 30) &&
               bit(seven.ebx, 31);
  isa.avx512_vnni = isa.avx512 && bit(seven.ecx, 11);
  isa.avx512_bf16 = isa.avx512 && bit(more.eax, 5);
  isa.avx512_fp16 = isa.avx512 && bit(seven.edx, 23);
  const bool tiles = isa.avx512 && saved(kAmxStates) && bit(seven.edx, 24) && request_tiles();
  isa.amx_bf16 = tiles && bit(seven.edx, 22);
  isa.amx_int8 = tiles && bit(seven.edx, 25);
  return isa;
}
#else
CpuIsa detect_cpu_isa() { return {}; }
#endif

}  // namespace perfatlas
