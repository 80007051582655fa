// SPDX-License-Identifier: Apache-2.0
// The keys of a system description: part of the file format (docs/formats.md), shared by writer and reader.
#pragma once

namespace perfatlas::key {

inline constexpr char kFormatName[] = "perfatlas-system";

inline constexpr char kFormat[] = "format", kRevision[] = "revision";
inline constexpr char kSource[] = "source";  // where data-sheet values come from; free text for people
inline constexpr char kSystem[] = "system", kDevice[] = "device", kKind[] = "kind";
inline constexpr char kMemoryBytes[] = "memory_bytes", kLlcBytes[] = "llc_bytes";
inline constexpr char kMemoryBandwidth[] = "memory_bandwidth_bytes_per_s";
inline constexpr char kLlcBandwidth[] = "llc_bandwidth_bytes_per_s";
inline constexpr char kFlops[] = "flops_per_s";  // by element type
inline constexpr char kDatasheet[] = "datasheet", kMeasured[] = "measured";
inline constexpr char kMeasuredRelCi95[] = "measured_rel_ci95";
inline constexpr char kCpu[] = "cpu", kSockets[] = "sockets", kNumaNodes[] = "numa_nodes", kCores[] = "cores";
inline constexpr char kThreadsPerCore[] = "threads_per_core", kIsa[] = "isa";
inline constexpr char kCaches[] = "caches", kLevel[] = "level", kBytes[] = "bytes",
                      kInstances[] = "instances";
inline constexpr char kCuda[] = "cuda", kSmVersion[] = "sm_version", kPowerLimit[] = "power_limit_w";
inline constexpr char kMaxClock[] = "max_clock_mhz";
inline constexpr char kProbedAt[] = "probed_at", kVersions[] = "versions";

}  // namespace perfatlas::key
