// SPDX-License-Identifier: Apache-2.0
// What a machine can do at best: the system description that `probe` writes and every estimate reads.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// One capability, as the vendor states it and as `probe` measured it. Either may be unknown; never guessed.
struct Figure {
  std::optional<double> datasheet;
  std::optional<double> measured;           // the best sustained value seen
  std::optional<double> measured_rel_ci95;  // relative half-width of the 95 % interval of its median

  /// The measured value when there is one, else the data sheet's, else nothing.
  std::optional<double> best() const { return measured ? measured : datasheet; }
  bool operator==(const Figure&) const = default;
};

/// One cache level of a CPU, or the L2 of a GPU.
struct CacheSpec {
  int level = 0;
  double bytes = 0;  // of one instance
  int instances = 0;
  bool operator==(const CacheSpec&) const = default;
};

struct SystemSpec {
  std::string system;  // folder name of placed tables: lower case, digits and underscores
  std::string device;  // the vendor's name of the part: the `device` column of rows
  std::string kind;    // "cpu" or "cuda"

  std::optional<double> memory_bytes;
  std::optional<double> llc_bytes;  // last-level cache of the whole device
  Figure memory_bandwidth;          // bytes/s, buffers over four times the last-level cache
  Figure llc_bandwidth;             // bytes/s, buffers that stay in the last-level cache
  std::map<DType, Figure> flops;    // FLOP/s of dense matrix products, by operand type

  // CPU only; absent values are unknown.
  std::optional<int> sockets, numa_nodes, cores, threads_per_core;
  std::vector<std::string> isa;  // e.g. avx512_bf16, amx_int8
  std::vector<CacheSpec> caches;
  // CUDA only.
  std::optional<int> sm_version;  // 90 for Hopper
  std::optional<double> power_limit_w;
  std::optional<double> max_clock_mhz;

  std::string probed_at;                        // ISO 8601 date and time, UTC
  std::map<std::string, std::string> versions;  // driver and library versions seen

  bool operator==(const SystemSpec&) const = default;
};

/// Revision of the written form. Raised when an old reader would misread a new file.
inline constexpr int kSystemSpecRevision = 1;

struct ParsedSystemSpec {
  SystemSpec spec;
  std::vector<std::string> notes;  // one line per unknown key that was ignored
};

/// The inverse of system_spec_json (docs/formats.md). A missing optional key is an unknown value. A key that this
/// revision does not know is ignored and noted; a newer revision is refused. Throws Error naming `source` (a file)
/// and the key that is wrong.
ParsedSystemSpec parse_system_spec(std::string_view json, const std::string& source);

/// The same from a file, without the notes.
SystemSpec read_system_spec(const std::string& path);

/// Replaces `path` atomically. Throws Error when it cannot be written.
void write_system_spec(const SystemSpec& spec, const std::string& path);

/// The written form: JSON, keys in a fixed order, units in their names, unknown values left out; ends in a newline.
/// Doubles read back exactly.
std::string system_spec_json(const SystemSpec& spec);

}  // namespace perfatlas
