// SPDX-License-Identifier: Apache-2.0
// perfatlas bench OP: one case with its samples; what every repro line runs.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/cli/measured_cases.h"
#include "perfatlas/cli/op_options.h"

namespace perfatlas {
namespace {

struct BenchArguments {
  MeasureArguments measure;
  std::string device;
  std::string system_file;
  bool json = false;
};

std::string optional_text(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:.4g} {}", *value, unit) : "unknown";
}

void print_row(const CaseRecord& record) {
  const Row& row = *record.row;
  const RowQuality& q = *row.quality;
  fmt::print("{}\n", record.case_text);
  fmt::print("  latency     {:.6g} ms median, {:.6g} p10, {:.6g} p90, interval +-{:.2f} %\n", latency_ms(row),
             q.latency_p10_ms, q.latency_p90_ms, 100 * q.rel_ci95);
  fmt::print("  kernel      {} ({} {}) on {}\n", row.kernel_source, row.framework, row.version, row.device);
  fmt::print("  measured    {} samples x {} launches, {} state, {} launches, stopped: {}\n", q.samples,
             record.launches_per_sample, name_of(q.cache_state), name_of(q.launch), name_of(record.stop));
  fmt::print("  efficiency  {}\n", q.efficiency
                                       ? fmt::format("{:.1f} % of the speed of light", 100 * *q.efficiency)
                                       : "unknown (give --system-file from perfatlas probe)");
  fmt::print("  clock {}, temperature {}, energy {}{}\n", optional_text(q.clock_mhz, "MHz"),
             optional_text(q.temperature_c, "C"), optional_text(q.energy_mj, "mJ"),
             q.throttled ? ", THROTTLED" : "");
  fmt::print("  samples_ms ");
  for (const double sample : record.samples_ms) fmt::print(" {:.6g}", sample);
  fmt::print("\n");
}

nlohmann::json to_json(const CaseRecord& record) {
  nlohmann::json out = {{"case", record.case_text},
                        {"outcome", name_of(record.outcome)},
                        {"reason", record.reason},
                        {"repro", record.repro},
                        {"samples_ms", record.samples_ms}};
  if (!record.row) return out;
  const RowQuality& q = *record.row->quality;
  out["latency_ms"] = latency_ms(*record.row);
  out["kernel_source"] = record.row->kernel_source;
  out["rel_ci95"] = q.rel_ci95;
  out["cache_state"] = name_of(q.cache_state);
  out["launch"] = name_of(q.launch);
  out["stop"] = name_of(record.stop);
  if (q.efficiency) out["efficiency"] = *q.efficiency;
  if (q.energy_mj) out["energy_mj"] = *q.energy_mj;
  return out;
}

int run_bench(const OpArguments& op, const BenchArguments& a, const OpRegistry& ops) {
  if (!op.op->measurable())
    throw UsageError(
        fmt::format("{} is an imported table: no kernel of it is in this build", op.op->info.id));
  MeasureCases request{{op.to_case()}, a.measure.backend, a.device, measure_from(a.measure), {}};
  if (!a.system_file.empty()) request.system = read_system_spec(a.system_file);
  const CaseRecord record = measure_cases(request, ops).at(0);
  if (a.json) {
    fmt::print("{}\n", to_json(record).dump(2));
  } else if (record.outcome == Outcome::measured) {
    print_row(record);
  } else {
    fmt::print(stderr, "perfatlas: {} {}: {}\n", record.case_text, name_of(record.outcome), record.reason);
  }
  return record.outcome == Outcome::measured ? kDone : kFailed;
}

}  // namespace

void add_bench(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("bench", "Measure one case and show its samples");
  const auto a = std::make_shared<BenchArguments>();
  const auto more = [a](CLI::App& sub) {
    add_measure_options(sub, a->measure);
    sub.add_option("--device,--devices", a->device, "Core set or GPU; default: all cores, GPU 0");
    sub.add_option("--system-file", a->system_file, "System description, for the efficiency");
    sub.add_flag("--json", a->json, "For machines");
  };
  add_op_subcommands(invocation, {verb, more, [&invocation, a](const OpArguments& op) {
                                    return run_bench(op, *a, invocation.ops);
                                  }});
  verb->footer("Example: perfatlas bench gemm --dtype bf16 --m 1024 --n 4096 --k 4096 --cache hot");
}

}  // namespace perfatlas
