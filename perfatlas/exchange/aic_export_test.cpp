// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/exchange/aic_export.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/exchange/aic_vocabulary.h"
#include "perfatlas/ops/all_ops.h"
#include "perfatlas/ops/attention/attention.h"
#include "perfatlas/ops/collective/collective.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/rms_norm/rms_norm.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/store/csv.h"
#include "perfatlas/store/parquet.h"
#include "perfatlas/store/toy_tables_test.h"
#include "perfatlas/tables/published_wheel_test.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

/// The key and latency of a row, as text.
std::string shown(const Case& c, double ms) { return fmt::format("{} {:.17g}", case_text(c), ms); }

/// What a folder of tables answers for one op, in file order.
std::vector<std::string> shown_rows(const SystemsRoot& root, const OpType& op, const TableRequest& request) {
  const auto rows = root.table_rows(op, request);
  std::vector<std::string> texts;
  for (size_t i = 0; i < rows->size(); ++i)
    texts.push_back(shown({&op, rows->values(i)}, rows->latency_ms(i)));
  return texts;
}

/// A data folder with rows of two back ends.
class AicExportTest : public testing::Test {
 protected:
  AicExportTest() {
    SystemSpec spec{.system = "box", .device = "A box", .kind = "cpu", .memory_bytes = 64e9};
    spec.memory_bandwidth.measured = 100e9;
    spec.flops[DType::bf16].measured = 1.5e12;
    make_writable_folder(data() + "/box");
    write_system_spec(spec, system_description_path(data(), "box"));
    replace_file(data() + "/ATTRIBUTION.md", "by them");
    put("onednn/3.2.0", "gemm",
        {encode(Gemm{.m = 8, .n = 64, .k = 32}),
         encode(Gemm{.dtype = Quant::f32, .m = 8, .n = 64, .k = 32})});
    put("onednn/3.2.0", "attention_context",
        {encode(AttentionContext{.isl = 16, .heads = 8, .kv_heads = 8}),
         encode(AttentionContext{.isl = 32, .heads = 8, .kv_heads = 4})});
    put("onednn/3.2.0", "rms_norm", {encode(RmsNorm{})});
    put("mpi/4.1.4", "collective",
        {encode(Collective{.kind = CollectiveKind::all_reduce, .elements = 4096}),
         encode(Collective{.kind = CollectiveKind::all_gather, .elements = 8192}),
         encode(Collective{.kind = CollectiveKind::all_gather, .dtype = MessageType::f32, .elements = 8})});
  }

  std::string data() const { return folder_ / "data"; }
  AicExportRequest request() const {
    return {
        .data_root = data(),
        .system = "box",
        .as_backend = "vllm",
        .as_version = "0.24.0",
        .out = folder_ / "out",
        .given = {.gpus_per_node = 2, .inter_node_bw = 1e9, .nccl_mem = {{1, 0}, {2, 0}}, .other_mem = 0}};
  }
  void put(const std::string& where, const char* op_id, const std::vector<FieldValues>& cases) {
    const OpType& op = ops_.get(op_id);
    std::vector<Row> rows;
    for (const FieldValues& values : cases) {
      Row row{.c = {&op, values}, .framework = "onednn", .version = "3.2.0", .device = "A box"};
      row.kernel_source = "kernel";
      row.measured = {0.25 * double(rows.size() + 1)};
      row.quality = RowQuality{.samples = 10, .rel_ci95 = 0.01, .case_id = case_id(row.c)};
      rows.push_back(row);
    }
    const std::string path = fmt::format("{}/box/{}", data(), where);
    make_writable_folder(path);
    write_csv_table(op, rows, fmt::format("{}/{}.txt", path, op.info.table));
  }

  OpRegistry ops_ = all_ops();
  TemporaryFolder folder_;
};

TEST_F(AicExportTest, OurReaderOfPublishedDataReadsTheFolder) {
  const AicExportReport report = export_for_aic(ops_, request());
  const SystemsRoot root(request().out, ops_);
  EXPECT_EQ(root.systems(), std::vector<std::string>{"box"});
  EXPECT_EQ(root.backends("box"), std::vector<std::string>{"vllm"});
  EXPECT_EQ(root.system("box").mem_bw, 100e9);
  EXPECT_EQ(root.system("box").nccl_version, "4.1.4");
  EXPECT_DOUBLE_EQ(root.system("box").intra_node_bw, 8192 / 0.25e-3);  // of two that send as much, the faster
  const TableRequest table{.system = "box", .backend = "vllm", .version = "0.24.0"};
  const auto expect = [&](const char* op, const std::vector<std::pair<FieldValues, double>>& rows) {
    std::vector<std::string> texts;
    for (const auto& [values, ms] : rows) texts.push_back(shown({&ops_.get(op), values}, ms));
    EXPECT_EQ(shown_rows(root, ops_.get(op), table), texts);
  };
  expect("gemm", {{encode(Gemm{.m = 8, .n = 64, .k = 32}), 0.25}});
  expect("attention_context", {{encode(AttentionContext{.isl = 16, .heads = 8, .kv_heads = 8}), 0.25},
                               {encode(AttentionContext{.isl = 32, .heads = 8, .kv_heads = 4}), 0.5}});
  expect("collective", {{encode(Collective{.kind = CollectiveKind::all_reduce, .elements = 4096}), 0.25},
                        {encode(Collective{.kind = CollectiveKind::all_gather, .elements = 8192}), 0.5}});
  expect("custom_all_reduce",
         {{encode(CustomAllReduce{.dtype = MessageType::bf16, .ranks = 2, .elements = 4096}), 0.25}});
}

TEST_F(AicExportTest, OnlyColumnsOfPublishedTablesAreWrittenAndNoticesStay) {
  (void)export_for_aic(ops_, request());
  const std::string folder = request().out + "/data/box/vllm/0.24.0";
  const ColumnBatch batch =
      parse_columns(TableFormat::parquet, read_file(folder + "/gemm_perf.parquet"), "gemm");
  std::vector<std::string> names;
  for (const ColumnData& column : batch.columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"framework", "version", "device", "op_name", "kernel_source",
                                             "gemm_dtype", "m", "n", "k", "latency"}));
  EXPECT_TRUE(batch.metadata.empty() || batch.metadata.count("perfatlas.op") == 0);
  EXPECT_EQ(read_file(folder + "/ATTRIBUTION.md"), "by them");
  EXPECT_TRUE(file_exists(folder + "/collection_meta.yaml"));
}

TEST_F(AicExportTest, EveryRowLeftOutIsCountedWithItsReason) {
  const std::string text = export_for_aic(ops_, request()).text();
  EXPECT_THAT(text, HasSubstr("1 left out: gemm_dtype float32 is unknown to aiconfigurator"));
  EXPECT_THAT(text, HasSubstr("1 left out: aiconfigurator has no such table"));
  EXPECT_THAT(text, HasSubstr("1 left out: nccl_dtype float is unknown to aiconfigurator"));
}

TEST_F(AicExportTest, BadRequestsSayWhatIsKnown) {
  const auto refusal = [&](const std::function<void(AicExportRequest&)>& change) {
    AicExportRequest changed = request();
    change(changed);
    return error_of([&] { (void)export_for_aic(ops_, changed); });
  };
  EXPECT_THAT(refusal([](auto& r) { r.system = "bix"; }), HasSubstr("known: box"));
  EXPECT_THAT(refusal([](auto& r) { r.backends = {"cuda"}; }), HasSubstr("it has mpi and onednn"));
  EXPECT_THAT(refusal([](auto& r) { r.as_backend = "llama"; }), HasSubstr("vllm, sglang and trtllm"));
  EXPECT_THAT(refusal([](auto& r) { r.as_version = "a/b"; }), HasSubstr("--as-version"));
  EXPECT_THAT(refusal([](auto& r) { r.given.gpus_per_node.reset(); }), HasSubstr("--gpus-per-node"));
  EXPECT_FALSE(file_exists(request().out + "/box.yaml"));
  EXPECT_THAT(refusal([](auto& r) { r.rules.cache_state = CacheState::cold; }),
              HasSubstr("cache state serving, not cold"));
  put("ggml/1", "gemm", {encode(Gemm{.m = 8, .n = 64, .k = 32})});
  EXPECT_THAT(refusal([](auto&) {}), HasSubstr("gemm_perf is there of ggml and of onednn"));
  EXPECT_EQ(refusal([](auto& r) { r.backends = {"onednn", "mpi"}; }), "no error");
  EXPECT_THAT(refusal([](auto& r) { r.backends = {"onednn", "mpi"}; }), HasSubstr("is there already"));
}

/// Rows as a reader sees them, written and read again.
void expect_same_after_writing(const OpRegistry& ops, const OpType& op, const std::vector<Row>& rows) {
  const TemporaryFolder folder;
  make_writable_folder(folder / "data/box/vllm/1");
  replace_file(folder / "box.yaml",
               "data_dir: data/box\ngpu: {mem_bw: 1}\nnode: {num_gpus_per_node: 1, intra_node_bw: 1, "
               "inter_node_bw: 1}\nmisc: {nccl_version: '1', oneccl_version: '1'}\n");
  make_writable_folder(folder / "data/box/nccl/1");
  const bool library = op.info.table == "nccl_perf";
  write_published_table(op, rows,
                        fmt::format("{}/data/box/{}/1/{}.parquet", folder.path(), library ? "nccl" : "vllm",
                                    op.published_table()));
  std::vector<std::string> expected;
  for (const Row& row : rows) expected.push_back(shown(row.c, latency_ms(row)));
  const SystemsRoot root(folder.path(), ops);
  EXPECT_EQ(shown_rows(root, op, {.system = "box", .backend = "vllm", .version = "1"}), expected)
      << op.info.id;
}

TEST(AicRoundTrip, RowsOfEveryOpComeBackWithTheirKeysAndValues) {
  const OpRegistry ops = all_ops();
  int checked = 0;
  for (const auto& op : ops.ops()) {
    if (!aic_reads_table(op->published_table()) || op->published_table() != op->info.table) continue;
    RandomRows random(uint64_t(++checked));
    std::vector<Row> rows;
    for (int i = 0; i < 40; ++i) {
      rows.push_back(random.next(*op));
      rows.back().quality.reset();
    }
    const AicRows chosen = rows_for_aic(*op, rows, {});
    if (!chosen.rows.empty()) expect_same_after_writing(ops, *op, chosen.rows);
  }
  EXPECT_GT(checked, 20);
}

TEST(AicRoundTrip, PublishedTablesSurviveBeingExported) {
  PERFATLAS_NEED_WHEEL();
  const OpRegistry ops = all_ops();
  const SystemsRoot root(published_wheel(), ops);
  size_t checked = 0;
  for (const auto& op : ops.ops()) {
    if (!aic_reads_table(op->published_table()) || op->published_table() != op->info.table) continue;
    const auto table = root.table_rows(*op, {.system = "h100_sxm", .backend = "vllm", .version = "0.24.0"});
    std::vector<Row> rows;
    for (size_t i = 0; i < std::min<size_t>(table->size(), 20000); ++i) {
      Row row{.c = {op.get(), table->values(i)}};
      row.kernel_source = table->kernel(i).text();
      for (size_t m = 0; m < op->info.measured.size(); ++m) row.measured.push_back(table->measured(i, m));
      if (table->power_w(i) > 0) row.power_w = table->power_w(i);
      rows.push_back(std::move(row));
    }
    const AicRows chosen = rows_for_aic(*op, rows, {});
    EXPECT_LE(chosen.rows.size(), rows.size());
    if (chosen.rows.empty()) continue;
    expect_same_after_writing(ops, *op, chosen.rows);
    checked += chosen.rows.size();
  }
  EXPECT_GT(checked, 50000u);
}

}  // namespace
}  // namespace perfatlas
