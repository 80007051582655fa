// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/measure_options.h"

#include <fmt/format.h>
#include <sched.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

/// The cores this process may use, as --devices takes them: "0-3,8".
std::string allowed_cores() {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
    throw Error("the system does not tell which cores may be used; name them with --devices");
  std::string text;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed)) continue;
    int last = core;
    while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &allowed)) ++last;
    text += fmt::format("{}{}", text.empty() ? "" : ",", core);
    if (last > core) text += fmt::format("-{}", last);
    core = last;
  }
  return text;
}

}  // namespace

void add_measure_options(CLI::App& verb, MeasureArguments& a) {
  const char* group = "How to measure";
  verb.add_option("--backend", a.backend, "Back end: onednn, ggml, vllm_cpu, mpi, cuda, nccl")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--kernel", a.kernel, "Kernel (kernel_source); default: the best one for each case")
      ->group(group);
  verb.add_option("--cache", a.cache, "Cache state: serving (as inside a step), hot or cold")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--warmups", a.warmups, "Launches before the first sample")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--runs", a.min_samples, "Samples at least")->capture_default_str()->group(group);
  verb.add_option("--repeat", a.max_samples, "Samples at most; 0: until quiet or out of time")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--max-time", a.max_time, "Measuring time per case at most")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--min-time", a.min_time_ms, "Milliseconds per sample at least; short kernels are batched")
      ->capture_default_str()
      ->group(group);
  verb.add_option("--max-noise", a.max_noise,
                  "Stop when the 95 % interval of the median is this narrow (relative)")
      ->capture_default_str()
      ->group(group);
  verb.add_flag("--power", a.power,
                "Measure energy: each case runs until the energy counter has enough ticks")
      ->group(group);
  verb.add_flag("!--no-graph-fallback,--allow-graph-fail", a.graph_fallback,
                "Run launch by launch when a device graph cannot be captured (default)")
      ->group(group);
  verb.add_option("--seed", a.seed, "Seed of operand contents")->capture_default_str()->group(group);
}

MeasureOptions measure_from(const MeasureArguments& a) {
  MeasureOptions m;
  const auto cache = from_name<CacheState>(a.cache);
  if (!cache) throw UsageError(fmt::format("--cache '{}' is none of serving, hot and cold", a.cache));
  const auto max_time = parse_duration_s(a.max_time);
  if (!max_time || *max_time <= 0)
    throw UsageError(fmt::format("--max-time '{}' is no duration like 500ms or 2s", a.max_time));
  if (a.warmups < 0) throw UsageError("--warmups must not be negative");
  if (a.min_samples < 2) throw UsageError("--runs must be at least 2: one sample has no spread");
  if (a.max_samples != 0 && a.max_samples < a.min_samples)
    throw UsageError("--repeat must be 0 or at least --runs");
  if (!(a.max_noise > 0)) throw UsageError("--max-noise must be positive");
  if (!(a.min_time_ms >= 0)) throw UsageError("--min-time must not be negative");
  m.kernel = a.kernel;
  m.cache = *cache;
  m.warmups = a.warmups;
  m.stopping.min_samples = size_t(a.min_samples);
  m.stopping.max_samples =
      std::max(a.max_samples > 0 ? size_t(a.max_samples) : m.stopping.max_samples, size_t(a.min_samples));
  m.stopping.max_noise = a.max_noise;
  m.stopping.max_time_s = *max_time;
  m.min_sample_ms = a.min_time_ms;
  m.measure_energy = a.power;
  m.allow_graph_fail = a.graph_fallback;
  m.seed = a.seed;
  return m;
}

std::vector<std::string> default_devices(const std::string& backend) {
  if (backend == "cuda") return {"0"};
  if (backend == "nccl") return {"all"};
  return {allowed_cores()};
}

}  // namespace perfatlas
