// SPDX-License-Identifier: Apache-2.0
// Large plans, many shards and long audits, one figure per process so that peak memory is its own:
//   scale_out plan|shard|small         ten million planned cases: the whole plan, one of eight shards, the small plan
//   scale_out resume WORKER            the same plan in a new folder and in one that has begun: until the first
//                                      case is measured
//   scale_out status SHARDS ROWS       that plan in SHARDS folders with ROWS decided cases each
//   scale_out merge SHARDS ROWS        place of SHARDS collections of ROWS rows each, with journals alone and with
//                                      the staging tables that collect makes of them
//   scale_out validate SHARDS ROWS     validate of such collections without staging tables
//   scale_out audit ROWS               audits and doubts of ROWS measured cases, per case
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "bench/bench_main.h"
#include "perfatlas/cluster/shard_status.h"
#include "perfatlas/collect/audited_families.h"
#include "perfatlas/collect/place.h"
#include "perfatlas/collect/staging.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/collect/toy_grid_test.h"
#include "perfatlas/collect/validate.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

constexpr int kBatches = 500;  // of the toy grid, 20,000 cases each
constexpr const char* kDate = "2026-01-01T00:00:00.000Z";

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Wall clock, and the processor time of the process so far: other work on the machine does not change that.
void report(std::string_view what, double seconds) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  fmt::print("{:<64} {:>8.2f} s, {:>7.2f} s of CPU so far, {:>5.0f} MB\n", what, seconds,
             of(usage.ru_utime) + of(usage.ru_stime), double(usage.ru_maxrss) / 1024);
}

PlanRequest ten_million() { return {.grid = GridKind::aic, .aic = {.sm_version = kBatches}}; }

void plan_toys(const OpRegistry& toys, const PlanRequest& request, std::string_view what) {
  const Stopwatch watch;
  const Plan plan = make_plan(toys, request);
  report(fmt::format("{} of {} cases: {}", what, plan.total(), plan.size()), watch.seconds());
}

RunRecord run_record(const Plan& plan, const Shard& shard) {
  return {.run_id = fmt::format("20260101T000000.000000Z-{:08x}", shard.index),
          .command = "scale_out",
          .date = kDate,
          .host = "node",
          .plan_hash = plan.hash(),
          .plan_cases = plan.total() / shard.count,
          .plan_total = plan.total(),
          .shard = format_shard(shard),
          .backend = "onednn",
          .backend_version = "1",
          .device_name = "a CPU",
          .versions = {{"onednn", "1"}}};
}

CaseRecord case_record(const Case& c) {
  CaseRecord record{.case_text = case_text(c), .case_id = case_id(c), .backend = "onednn"};
  record.date = kDate;
  record.row = Row{.c = c,
                   .framework = "onednn",
                   .version = "1",
                   .device = "a CPU",
                   .kernel_source = "k",
                   .measured = {double(record.case_id % 1000 + 1) / 100}};
  record.row->quality = RowQuality{.samples = 9, .rel_ci95 = .01};
  record.samples_ms = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  record.repro = repro_line(c);
  return record;
}

/// Prepares something in a process of its own: its memory and time do not count.
void prepare(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int code = 0;
  if (::waitpid(child, &code, 0) != child || code != 0) throw Error("what is measured could not be prepared");
}

/// Folders of shards below `home` with journals of `rows` decided cases each.
std::vector<std::string> write_shards(const OpRegistry& toys, const std::string& home, uint64_t shards,
                                      uint64_t rows) {
  std::vector<std::string> folders;
  for (uint64_t s = 0; s < shards; ++s) folders.push_back(home + fmt::format("/shard-{}", s + 1));
  prepare([&] {
    const Plan plan = make_plan(toys, ten_million());
    for (uint64_t s = 0; s < shards; ++s) {
      const RunRecord run = run_record(plan, {s, shards});
      make_writable_folder(folders[s]);
      JournalWriter journal(folders[s] + "/journal-" + run.run_id + ".jsonl");
      journal.append(run);
      for (uint64_t i = s * rows; i < (s + 1) * rows; ++i) journal.append(case_record(plan.at(i)));
      journal.append(EndRecord{.date = kDate, .why = "complete"});
    }
  });
  return folders;
}

void resume(const OpRegistry& toys, const std::string& worker) {
  class FirstCase : public CollectObserver {
   public:
    void on_case(const CaseRecord&) override {
      if (!first_s) first_s = watch.seconds();
    }
    Stopwatch watch;
    std::optional<double> first_s;
  };
  const TemporaryFolder home;
  CollectOptions options;
  options.folder = home / "run";
  options.backend = "fake";
  options.worker_command = {worker, "--devices", "{device}"};
  options.budget_s = 1;
  options.drift.max_cases = 0;
  const auto run = [&](std::string_view what) {
    FirstCase first;
    const Plan plan = make_plan(toys, ten_million());
    collect(plan, toys, options, first);
    report(fmt::format("{} {} cases: plan and all until the first case", what, plan.size()),
           first.first_s.value());
    std::fflush(stdout);
  };
  prepare([&] { run("begin"); });
  run("resume");
}

void status(const OpRegistry& toys, uint64_t shards, uint64_t rows) {
  const TemporaryFolder home;
  write_shards(toys, home.path(), shards, rows);
  const Stopwatch watch;
  const ShardStatus status = shard_status(toys, {.folders = {home.path()}});
  report(fmt::format("status of {} shards: {} of {} decided", shards, status.done, status.total),
         watch.seconds());
}

void merge(const OpRegistry& toys, uint64_t shards, uint64_t rows) {
  const TemporaryFolder home;
  const auto folders = write_shards(toys, home.path(), shards, rows);
  const auto run = [&](TableFormat format, const std::string& name) {
    const Stopwatch watch;
    place(toys, {.collections = folders,
                 .data_root = home / name,
                 .system = "bench",
                 .format = format,
                 .before_write = {}});
    report(fmt::format("place of {} shards x {} rows as {}", shards, rows, name), watch.seconds());
    std::fflush(stdout);
  };
  prepare([&] { run(TableFormat::csv, "csv"); });
  prepare([&] { run(TableFormat::parquet, "parquet"); });
  prepare([&] {
    for (const std::string& folder : folders) write_staging_tables(folder, toys);
  });
  run(TableFormat::csv, "csv beside staging tables");
}

void validate_shards(const OpRegistry& toys, uint64_t shards, uint64_t rows) {
  const TemporaryFolder home;
  ValidateRequest request{.collections = write_shards(toys, home.path(), shards, rows)};
  const Stopwatch watch;
  const ValidateReport found = validate(toys, request);
  report(fmt::format("validate of {} shards x {} rows", shards, rows), watch.seconds());
}

void audit(uint64_t rows) {
  const OpRegistry ops = all_ops();
  const Plan plan = make_plan(
      ops,
      {.ops = {"gemm"}, .grid = GridKind::aic, .kind = PlanKind::small, .small = {.shares = {{"gemm", .5}}}});
  std::vector<CaseRecord> records;
  for (size_t i = 0; i < std::min<size_t>(rows, plan.size()); ++i) {
    records.push_back(case_record(plan.at(i)));
    records.back().place = plan.place(i);
  }
  AuditedFamilies audits({.target = 1e-9});
  const Stopwatch watch;
  size_t judged = 0;
  for (const CaseRecord& record : records) {
    audits.doubtful(record.row->c, latency_ms(*record.row));
    audits.take(record.row->c, record);
    judged += audits.advance(record.row->c).has_value();
  }
  report(fmt::format("audits of {} cases, {} judged batches", records.size(), judged), watch.seconds());
  fmt::print("{:.3f} ms a case\n", 1e3 * watch.seconds() / double(records.size()));
}

void run(const BenchArguments& arguments) {
  const OpRegistry toys = toy_registry();
  const std::string what = arguments.text(0);
  const auto number = [&](size_t i) { return uint64_t(arguments.number(i)); };
  PlanRequest request = ten_million();
  if (what == "plan") {
    plan_toys(toys, request, "plan");
  } else if (what == "shard") {
    request.shard = {2, 8};
    plan_toys(toys, request, "shard 3/8");
  } else if (what == "small") {
    request.kind = PlanKind::small;
    plan_toys(toys, request, "small plan");
  } else if (what == "resume") {
    resume(toys, arguments.text(1));
  } else if (what == "status") {
    status(toys, number(1), number(2));
  } else if (what == "merge") {
    merge(toys, number(1), number(2));
  } else if (what == "validate") {
    validate_shards(toys, number(1), number(2));
  } else if (what == "audit") {
    audit(number(1));
  } else {
    arguments.refuse();
  }
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  return perfatlas::bench_main({"scale_out plan|shard|small|resume WORKER|status SHARDS ROWS|merge SHARDS "
                                "ROWS|validate SHARDS ROWS|audit ROWS",
                                argc, argv},
                               perfatlas::run);
}
