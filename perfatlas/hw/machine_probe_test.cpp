// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "perfatlas/base/error.h"
#include "perfatlas/hw/machine_catalogue.h"
#include "perfatlas/hw/machine_cpuinfo.h"
#include "perfatlas/hw/machine_limits.h"
#include "perfatlas/hw/machine_topology.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kCpuinfo =
    "processor\t: 0\n"
    "model name\t: Intel(R) Xeon(R)  Platinum 8480+ @ 2.00GHz\n"
    "flags\t\t: fpu hypervisor amx_tile avx512f avx2 amx_bf16\n"
    "power management:\n"
    "\n"
    "processor\t: 1\n"
    "model name\t: Another\n"
    "flags\t\t: fpu sve\n";

TEST(CpuInfo, ComesFromTheFirstProcessor) {
  const CpuInfo cpu = parse_cpuinfo(kCpuinfo);
  EXPECT_EQ(cpu.model_name, "Intel(R) Xeon(R) Platinum 8480+ @ 2.00GHz");
  EXPECT_THAT(cpu.isa, ElementsAre("avx2", "avx512f", "amx_tile", "amx_bf16"));
  EXPECT_TRUE(cpu.hypervisor);
}

TEST(CpuInfo, ArmStatesFeaturesButNoName) {
  const CpuInfo cpu = parse_cpuinfo("processor : 0\nBogoMIPS : 50\nFeatures : fp asimd sve bf16 i8mm\n\n");
  EXPECT_EQ(cpu.model_name, "");
  EXPECT_THAT(cpu.isa, ElementsAre("asimd", "bf16", "i8mm", "sve"));
}

TEST(CpuInfo, AnythingElseIsUnknownNotAnError) {
  for (const char* text : {"", "\n\n\n", ":", "flags", "model name:"}) {
    EXPECT_EQ(parse_cpuinfo(text).model_name, "") << text;
    EXPECT_THAT(parse_cpuinfo(text).isa, IsEmpty()) << text;
  }
}

TEST(SystemName, IsAFolderNameFromTheBrand) {
  const auto name = [](const char* brand, std::vector<std::string> isa, int cores) {
    return suggest_cpu_system({brand, std::move(isa), false}, cores);
  };
  EXPECT_EQ(name("Intel(R) Xeon(R) Processor", {"avx512f", "amx_tile"}, 2), "xeon_2c_amx");
  EXPECT_EQ(name("Intel(R) Xeon(R) Platinum 8480+", {"avx512f", "amx_tile"}, 112),
            "xeon_platinum_8480_112c_amx");
  EXPECT_EQ(name("AMD EPYC 9654 96-Core Processor", {"avx2", "avx512f"}, 96), "epyc_9654_96c_avx512");
  EXPECT_EQ(name("12th Gen Intel(R) Core(TM) i7-1260P @ 2.10GHz", {"avx2"}, 12), "12th_i7_1260p_12c_avx2");
  EXPECT_EQ(name("", {"sve"}, 0), "cpu_sve");
  EXPECT_EQ(name("../../\xff/(unclosed", {}, 1), "cpu_1c");
  EXPECT_EQ(suggest_gpu_system("NVIDIA H100 NVL"), "h100_nvl");
  EXPECT_EQ(suggest_gpu_system("NVIDIA"), "gpu");
}

TEST(Topology, CountsCoresAndCaches) {
  const MachineTopology t =
      read_topology("pack:2 numa:2 l3:1(size=32MiB) l2:4(size=1MiB) l1d:1(size=32KiB) core:1 pu:2");
  EXPECT_EQ(t.sockets, 2);
  EXPECT_EQ(t.numa_nodes, 4);
  EXPECT_EQ(t.cores, 16);
  EXPECT_EQ(t.threads_per_core, 2);
  EXPECT_THAT(t.caches,
              ElementsAre(CacheSpec{1, 32 << 10, 16}, CacheSpec{2, 1 << 20, 16}, CacheSpec{3, 32 << 20, 4}));
  EXPECT_EQ(t.llc_bytes, 4.0 * (32 << 20));
}

TEST(Topology, WithoutCachesSizesAreUnknown) {
  const MachineTopology t = read_topology("core:4 pu:1");
  EXPECT_EQ(t.cores, 4);
  EXPECT_FALSE(t.llc_bytes);
  EXPECT_THROW(read_topology("nonsense"), Error);
}

class FakeRoot : public testing::Test {
 protected:
  FakeRoot() : root_(fs::path(testing::TempDir()) / ("perfatlas_machine_" + std::to_string(::getpid()))) {
    put("proc/meminfo", "MemFree: 1 kB\nMemTotal:       8388608 kB\n");
    put("proc/cpuinfo", kCpuinfo);
  }
  ~FakeRoot() override { fs::remove_all(root_); }
  void put(const fs::path& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

constexpr double kGiB = 1 << 30;

TEST_F(FakeRoot, InstalledMemoryWithoutGroups) {
  const MachineLimits limits = read_machine_limits(root_);
  EXPECT_EQ(limits.memory_bytes, 8 * kGiB);
  EXPECT_FALSE(limits.cpu_quota);
  EXPECT_THAT(limits.notes, IsEmpty());
}

TEST_F(FakeRoot, TheTightestVersion2GroupOnTheWayUpHolds) {
  put("proc/self/cgroup", "0::/a/b\n");
  put("sys/fs/cgroup/a/b/memory.max", "max\n");
  put("sys/fs/cgroup/a/memory.max", "2147483648\n");
  put("sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
  const MachineLimits limits = read_machine_limits(root_);
  EXPECT_EQ(limits.memory_bytes, 2 * kGiB);
  EXPECT_EQ(limits.cpu_quota, 1.5);
  EXPECT_THAT(limits.notes,
              ElementsAre("memory: a control group allows 2.0 of 8.0 GiB installed",
                          "processor time: a control group allows 1.5 processors' worth; expect "
                          "throttling beyond it"));
}

TEST_F(FakeRoot, Version1GroupsHoldToo) {
  put("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n0::/\n");
  put("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1073741824\n");
  put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
  const MachineLimits limits = read_machine_limits(root_);
  EXPECT_EQ(limits.memory_bytes, kGiB);
  EXPECT_FALSE(limits.cpu_quota);
}

TEST_F(FakeRoot, AMachineWithTwoGpusIsDescribed) {
  const MachineDescription machine =
      describe_machine({root_, "pack:1 l3:1(size=8MiB) core:4 pu:1", PERFATLAS_FAKE_NVML});
  EXPECT_EQ(machine.cpu.system, "xeon_platinum_8480_4c_amx");
  EXPECT_EQ(machine.cpu.kind, "cpu");
  EXPECT_EQ(machine.cpu.memory_bytes, 8 * kGiB);
  EXPECT_EQ(machine.cpu.llc_bytes, 8 << 20);
  EXPECT_EQ(machine.cpu.memory_bandwidth, Figure{}) << "nothing states it, so it is unknown";
  ASSERT_EQ(machine.gpus.size(), 2u);
  EXPECT_EQ(machine.gpus[0].system, "h200_sxm");
  EXPECT_EQ(machine.gpus[0].memory_bytes, 150754820096);
  EXPECT_EQ(machine.gpus[0].memory_bandwidth.datasheet, 4.8e12);
  EXPECT_EQ(machine.gpus[0].flops.at(DType::bf16).datasheet, 989e12);
  EXPECT_EQ(machine.gpus[0].flops.at(DType::bf16).measured, std::nullopt);
  EXPECT_EQ(machine.gpus[0].sm_version, 90);
  EXPECT_EQ(machine.gpus[0].power_limit_w, 700);
  EXPECT_EQ(machine.gpus[0].max_clock_mhz, 1980);
  EXPECT_EQ(machine.gpus[0].versions.at("nvidia_driver"), "570.86.15");
  EXPECT_EQ(machine.gpus[0].versions.at("cuda_driver"), "12.8");
  EXPECT_EQ(machine.gpus[1].system, "h100_nvl");
  EXPECT_EQ(machine.gpus[1].memory_bandwidth, Figure{}) << "an NVL part is neither SXM nor PCIe";
  EXPECT_EQ(machine.gpus[1].power_limit_w, std::nullopt);
  EXPECT_THAT(machine.notes,
              ElementsAre(HasSubstr("virtual machine"), HasSubstr("GPU 2: the driver does not answer"),
                          HasSubstr("GPU 1: no data sheet for \"NVIDIA H100 NVL\"")));
  for (const SystemSpec& spec : {machine.cpu, machine.gpus[0], machine.gpus[1]})
    EXPECT_EQ(parse_system_spec(system_spec_json(spec), "").spec, spec);
}

TEST_F(FakeRoot, NoDriverIsANoteNotAnError) {
  const MachineDescription machine = describe_machine({root_, "core:1 pu:1", "libdoes-not-exist.so.1"});
  EXPECT_THAT(machine.gpus, IsEmpty());
  EXPECT_THAT(machine.notes.back(), HasSubstr("libdoes-not-exist.so.1 was not found"));
}

TEST_F(FakeRoot, ALibraryThatIsNotNvmlIsANote) {
  const NvmlMachine machine = read_nvml("libdl.so.2");
  EXPECT_THAT(machine.gpus, IsEmpty());
  EXPECT_THAT(machine.notes, ElementsAre(HasSubstr("does not start")));
}

TEST(Machine, ThisOneIsDescribedAndReadsBack) {
  const MachineDescription machine = describe_machine();
  EXPECT_GE(machine.cpu.cores.value_or(0), 1);
  EXPECT_EQ(parse_system_spec(system_spec_json(machine.cpu), "").spec, machine.cpu);
}

TEST(Gpu, APartitionedOneHasNoDataSheetAndAnotherName) {
  NvmlGpu gpu{.name = "NVIDIA H200", .partitioned = true};
  const SystemSpec spec = describe_gpu(gpu, {});
  EXPECT_EQ(spec.system, "h200_sxm_mig");
  EXPECT_EQ(spec.memory_bandwidth, Figure{});
}

TEST(Catalogue, EverySystemIsCompleteAndUnambiguous) {
  std::vector<std::string> names, devices;
  for (const SystemSpec& spec : known_systems()) {
    names.push_back(spec.system);
    devices.push_back(spec.device);
    EXPECT_EQ(spec.kind, "cuda") << spec.system;
    EXPECT_TRUE(spec.memory_bandwidth.datasheet && spec.memory_bytes && spec.sm_version) << spec.system;
    EXPECT_TRUE(spec.flops.count(DType::bf16)) << spec.system;
    EXPECT_FALSE(spec.memory_bandwidth.measured) << spec.system << ": a data sheet measures nothing";
  }
  EXPECT_THAT(names, ElementsAre("a100_pcie", "a100_sxm", "a30", "b200_sxm", "b300_sxm", "gb200", "gb300",
                                 "h100_pcie", "h100_sxm", "h200_sxm", "l4", "l40s", "rtx_pro_6000_server"));
  std::sort(devices.begin(), devices.end());
  EXPECT_EQ(std::unique(devices.begin(), devices.end()), devices.end());
  EXPECT_FALSE(find_known_device("NVIDIA H100"));
}

}  // namespace
}  // namespace perfatlas
