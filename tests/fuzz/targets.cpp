// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include "perfatlas/base/error.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/store/collection_meta.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/tables/aic_system.h"
#include "perfatlas/tables/file_table.h"
#include "perfatlas/tables/query_versions.h"
#include "perfatlas/tables/reuse.h"

namespace perfatlas {
namespace {

/// A refusal is what damaged bytes should lead to.
template <class Call>
void refusing(const Call& call) {
  try {
    call();
  } catch (const Error&) {
  }
}

const OpRegistry& known_ops() {
  static const OpRegistry ops = all_ops();
  return ops;
}

/// Reads every row of what was made of the columns.
void use(const FileTable& table) {
  double sum = 0;
  for (size_t row = 0; row < table.size(); ++row) sum += table.latency_ms(row) + double(table.values(row)[0]);
  volatile double sink = sum;
  (void)sink;
}

void read_as_tables(TableFormat format, const std::string& bytes) {
  refusing([&] {
    const ColumnBatch batch = parse_columns(format, bytes, "f");
    for (const char* const op : {"gemm", "moe", "moe_low_latency", "deepep_normal", "dsv4_mega_moe"})
      refusing([&] { use(make_file_table(known_ops().get(op), batch, "f")); });
  });
}

void fuzz_csv(const std::string& bytes) {
  read_as_tables(TableFormat::csv, bytes);
  refusing([&] { parse_csv_table(known_ops().get("gemm"), bytes, "f", [](Row&&) {}); });
}

void fuzz_parquet(const std::string& bytes) { read_as_tables(TableFormat::parquet, bytes); }

void fuzz_yaml(const std::string& bytes) {
  refusing([&] {
    const AicSystem system = parse_aic_system(bytes, "s", "f");
    (void)system.bandwidth(64);
  });
  refusing([&] { (void)parse_query_versions(bytes, "f").written("small", "vllm"); });
  refusing([&] { (void)parse_reuse(bytes, "f"); });
  refusing([&] { (void)parse_reuse_manifest(bytes, "f"); });
  refusing([&] { (void)collection_meta_yaml(parse_collection_meta(bytes, "f")); });
}

}  // namespace

const std::vector<FuzzTarget>& fuzz_targets() {
  static const std::vector<FuzzTarget> targets = {
      {"csv", fuzz_csv}, {"parquet", fuzz_parquet}, {"yaml", fuzz_yaml}};
  return targets;
}

}  // namespace perfatlas
