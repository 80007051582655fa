// SPDX-License-Identifier: Apache-2.0
// What this CPU can execute, as far as the operating system lets it.
#pragma once

namespace perfatlas {

struct CpuIsa {
  bool avx2 = false;    // with FMA
  bool avx512 = false;  // F, BW, DQ and VL together
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool avx512_fp16 = false;
  bool amx_bf16 = false;  // tile registers granted to this process
  bool amx_int8 = false;
};

/// Asks CPUID and XGETBV, and asks Linux for the AMX tile registers (without that permission the first tile
/// instruction is a SIGILL). Call before any library that looks for AMX. All false on other architectures.
CpuIsa detect_cpu_isa();

}  // namespace perfatlas
