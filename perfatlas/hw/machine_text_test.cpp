// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_text.h"

#include <gtest/gtest.h>

namespace perfatlas {
namespace {

TEST(MachineText, NumbersHaveThreeDigitsAndAPrefix) {
  EXPECT_EQ(rate_text(21.53e9, "B/s"), "21.5 GB/s");
  EXPECT_EQ(rate_text(989e12, "FLOP/s"), "989 TFLOP/s");
  EXPECT_EQ(rate_text(999.9e9, "B/s"), "1 TB/s");
  EXPECT_EQ(rate_text(12, "B/s"), "12 B/s");
  EXPECT_EQ(bytes_text(480.0 * (1 << 20)), "480 MiB");
  EXPECT_EQ(bytes_text(1.5 * (1 << 30)), "1.5 GiB");
  EXPECT_EQ(bytes_text(0), "0 B");
}

TEST(MachineText, DataSheetAndMeasuredStandApart) {
  SystemSpec spec{.system = "xeon_2c_amx", .device = "Intel(R) Xeon(R) Processor", .kind = "cpu"};
  spec.memory_bytes = 23.5 * (1 << 30);
  spec.sockets = spec.numa_nodes = spec.threads_per_core = 1;
  spec.cores = 2;
  spec.isa = {"avx2", "amx_bf16"};
  spec.caches = {{1, 49152, 2}, {3, 480.0 * (1 << 20), 1}};
  spec.memory_bandwidth = {.datasheet = 300e9, .measured = 21.53e9, .measured_rel_ci95 = 0.0123};
  spec.flops[DType::bf16].measured = 3.2e12;
  spec.versions = {{"linux", "6.1.0"}, {"onednn", "3.2"}};
  spec.probed_at = "2026-01-02T03:04:05Z";
  EXPECT_EQ(system_spec_text(spec),
            "system      xeon_2c_amx\n"
            "device      Intel(R) Xeon(R) Processor\n"
            "cores       2 cores, 1 thread per core, 1 socket, 1 NUMA node\n"
            "isa         avx2 amx_bf16\n"
            "caches      L1 48 KiB x 2, L3 480 MiB x 1\n"
            "memory      23.5 GiB\n"
            "versions    linux 6.1.0, onednn 3.2\n"
            "probed at   2026-01-02T03:04:05Z\n"
            "peaks                   data sheet      measured\n"
            "  memory bandwidth      300 GB/s        21.5 GB/s +- 1.2 % (7 % of the data sheet)\n"
            "  last-level cache      -               -\n"
            "  matrix bfloat16       -               3.2 TFLOP/s\n");
}

TEST(MachineText, AGpuSaysWhatAGpuHas) {
  SystemSpec spec{.system = "h200_sxm", .device = "NVIDIA H200", .kind = "cuda"};
  spec.sm_version = 90;
  spec.power_limit_w = 700;
  spec.max_clock_mhz = 1980;
  spec.llc_bytes = 50e6;
  spec.flops[DType::fp8_e4m3].datasheet = 1978e12;
  EXPECT_EQ(system_spec_text(spec),
            "system      h200_sxm\n"
            "device      NVIDIA H200\n"
            "gpu         sm_90, power limit 700 W, up to 1980 MHz\n"
            "caches      last level 47.7 MiB\n"
            "memory      -\n"
            "peaks                   data sheet      measured\n"
            "  memory bandwidth      -               -\n"
            "  last-level cache      -               -\n"
            "  matrix fp8            1.98 PFLOP/s    -\n");
}

}  // namespace
}  // namespace perfatlas
