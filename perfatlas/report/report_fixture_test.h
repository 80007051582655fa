// SPDX-License-Identifier: Apache-2.0
// A made-up collection for tests of the report: toy ops, a made-up machine and figures that follow a formula.
#pragma once

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "perfatlas/collect/journal.h"
#include "perfatlas/hw/sol.h"
#include "perfatlas/schema/derive.h"

namespace perfatlas {

struct ToyMatmul {
  Quant dtype = Quant::bf16;
  int64_t m = 1, n = 1, k = 1;
  bool operator==(const ToyMatmul&) const = default;
  static constexpr OpInfo info{.id = "toy_matmul",
                               .table = "toy_matmul_perf",
                               .op_name = "toy_matmul",
                               .doc = "A matrix product.",
                               .sol = "max(2*m*n*k / peak, n*k*2 / memory_bw)"};
  static constexpr auto fields =
      std::tuple{field("gemm_dtype", &ToyMatmul::dtype, Role::exact, "quantisation").flagged("dtype"),
                 field("m", &ToyMatmul::m, Role::axis, "tokens"),
                 field("n", &ToyMatmul::n, Role::axis, "output features"),
                 field("k", &ToyMatmul::k, Role::axis, "input features")};
  static constexpr auto axes =
      std::array{axis<&ToyMatmul::n, ToyMatmul>("n"), axis<&ToyMatmul::k, ToyMatmul>("k"),
                 axis<&ToyMatmul::m, ToyMatmul>("m")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return {}; }
  Work work() const {
    return {.flops = 2.0 * double(m) * double(n) * double(k),
            .weight_bytes_read = double(n * k) * 2,
            .activation_bytes_read = double(m * k) * 2,
            .bytes_written = double(m * n) * 2,
            .math = traits_of(dtype).math};
  }
};

struct ToyNorm {
  int64_t tokens = 1, hidden = 1;
  bool operator==(const ToyNorm&) const = default;
  static constexpr OpInfo info{.id = "toy_norm",
                               .table = "toy_norm_perf",
                               .op_name = "toy_norm",
                               .doc = "A memory op.",
                               .sol = "4*tokens*hidden / llc_bw"};
  static constexpr auto fields = std::tuple{field("tokens", &ToyNorm::tokens, Role::axis, "tokens"),
                                            field("hidden", &ToyNorm::hidden, Role::axis, "features")};
  static constexpr auto axes = std::array{axis<&ToyNorm::tokens, ToyNorm>("tokens")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return {}; }
  Work work() const {
    return {.activation_bytes_read = double(tokens * hidden) * 2,
            .bytes_written = double(tokens * hidden) * 2};
  }
};

inline OpRegistry toy_ops() {
  OpRegistry ops;
  ops.add(make_op_type<ToyMatmul>());
  ops.add(make_op_type<ToyNorm>());
  return ops;
}

inline SystemSpec toy_machine() {
  SystemSpec spec{.system = "toy_2c", .device = "Toy <CPU> & Co", .kind = "cpu"};
  spec.memory_bytes = 24e9;
  spec.llc_bytes = 32 << 20;
  spec.memory_bandwidth = {.datasheet = 50e9, .measured = 40e9, .measured_rel_ci95 = 0.01};
  spec.llc_bandwidth.measured = 160e9;
  spec.flops[DType::bf16] = {.measured = 2e12, .measured_rel_ci95 = 0.02};
  spec.flops[DType::f32].measured = 2.5e11;
  spec.cores = 2;
  spec.isa = {"avx2", "amx_bf16"};
  spec.caches = {{1, 49152, 2}, {3, 33554432, 1}};
  return spec;
}

/// Latency grows with the speed of light and a constant; `factor` bends single rows.
inline CaseRecord toy_record(const Case& c, double factor = 1) {
  const auto sol = speed_of_light(c.op->work(c.values), toy_machine(), CacheState::serving);
  const double ms = (0.004 + sol->ms() * 1.4) * factor;
  CaseRecord record;
  record.case_text = case_text(c);
  record.case_id = case_id(c);
  record.backend = "toy";
  record.date = "2026-01-02T03:04:05Z";
  record.repro = repro_line(c);
  Row row{.c = c, .framework = "toy", .version = "1.0", .device = "Toy CPU", .kernel_source = "toy_kernel"};
  row.measured = {ms};
  RowQuality quality;
  quality.samples = 20;
  quality.latency_p10_ms = ms * 0.97;
  quality.latency_p90_ms = ms * 1.06;
  quality.rel_ci95 = 0.001 + 0.02 * double(record.case_id % 97) / 97;
  quality.efficiency = sol->ms() / ms;
  quality.case_id = record.case_id;
  quality.run_id = "run";
  row.quality = quality;
  record.row = row;
  return record;
}

inline CaseRecord toy_outcome(const Case& c, Outcome outcome, const std::string& reason) {
  CaseRecord record = toy_record(c);
  record.row.reset();
  record.outcome = outcome;
  record.reason = reason;
  record.log = outcome == Outcome::crashed ? "worker-0.log" : "";
  return record;
}

/// A folder that goes away with the object.
class ToyFolder {
 public:
  explicit ToyFolder(const std::string& name)
      : path_((std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))).string()) {
    std::filesystem::create_directories(path_);
  }
  ~ToyFolder() { std::filesystem::remove_all(path_); }
  ToyFolder(const ToyFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string journal() const { return path_ + "/journal-20260102T030405Z-00000001.jsonl"; }

 private:
  std::string path_;
};

inline constexpr const char* kHostileText = "</script><script>alert('@DATA@')</script> <!-- & \"quoted\"";

inline RunRecord toy_run() {
  RunRecord run;
  run.run_id = "20260102T030405Z-00000001";
  run.command = "perfatlas collect --backend toy --out toy";
  run.tool_version = "perfatlas 0.1.0";
  run.date = "2026-01-02T03:04:05Z";
  run.host = "host";
  run.shard = "1/1";
  run.backend = "toy";
  run.backend_version = "1.0";
  run.worker = "toy worker";
  run.device_id = "0";
  run.device_name = "Toy CPU";
  run.versions = {{"toylib", "1.0"}};
  run.options = {{"cache", "serving"}};
  run.system_json = system_spec_json(toy_machine());
  return run;
}

/// A collection with every kind of record and every kind of suspicion; about 25 * sites + 40 rows.
inline void write_toy_collection(const ToyFolder& folder, const OpRegistry& ops, int sites) {
  JournalWriter journal(folder.journal());
  journal.append(toy_run());
  const OpType &matmul = ops.get("toy_matmul"), &norm = ops.get("toy_norm");
  for (int site = 0; site < sites; ++site)
    for (const Quant dtype : {Quant::bf16, Quant::f32})
      for (int64_t m = 1; m <= 4096; m *= 2) {
        const Case c = make_case(matmul, ToyMatmul{dtype, m, 1024 * (1 + site % 6), 1024 * (1 + site / 6)});
        const bool spike = m == 64 && site == 0, light = m == 4096 && site == 1;
        CaseRecord record = toy_record(c, spike ? 2.2 : light ? 0.6 : 1);
        record.suspect = light;
        if (m == 16 && site == 2) record.row->quality->throttled = true;
        if (m == 8 && site == 2) record.row->quality->rel_ci95 = 0.12;
        journal.append(record);
      }
  for (const int64_t hidden : {1024, 2048, 4096})
    for (int64_t tokens = 1; tokens <= 4096; tokens *= 2)
      journal.append(toy_record(make_case(norm, ToyNorm{tokens, hidden})));
  journal.append(
      toy_outcome(make_case(matmul, ToyMatmul{Quant::fp8, 1, 64, 64}), Outcome::skipped, "no fp8 here"));
  journal.append(
      toy_outcome(make_case(matmul, ToyMatmul{Quant::fp8, 2, 64, 64}), Outcome::skipped, "no fp8 here"));
  journal.append(toy_outcome(make_case(norm, ToyNorm{8192, 1024}), Outcome::crashed, "SIGSEGV"));
  journal.append(toy_outcome(make_case(norm, ToyNorm{8192, 2048}), Outcome::failed, kHostileText));
  journal.append(
      toy_outcome(make_case(norm, ToyNorm{8192, 4096}), Outcome::timed_out, "no answer within 30 s"));
  for (int site = 0; site < sites; ++site) {
    const Case c =
        make_case(matmul, ToyMatmul{Quant::bf16, 32, 1024 * (1 + site % 6), 1024 * (1 + site / 6)});
    const double first = latency_ms(*toy_record(c).row);
    journal.append(RerunRecord{
        case_text(c), case_id(c), first, first * (site == 3 ? 1.25 : 1 + 0.004 * (site % 7 - 3)), {}});
  }
  journal.append(BreakerRecord{"toy_norm", "a third of the last 50 cases failed"});
  EndRecord end;
  end.date = "2026-01-02T03:05:05Z";
  end.why = "budget";
  end.not_attempted = 7;
  journal.append(end);
}

}  // namespace perfatlas
