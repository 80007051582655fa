// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/tables/table_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/ops/moe/moe.h"
#include "perfatlas/store/columns.h"
#include "perfatlas/tables/published_tree_test.h"

namespace perfatlas {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

FileTable table_of(const std::string& op, const std::string& csv) {
  static const OpRegistry ops = all_ops();
  return make_file_table(ops.get(op), parse_columns(TableFormat::csv, csv, "t.txt"), "t.txt");
}

std::string refused(const std::string& op, const std::string& csv) {
  return refusal([&] { (void)table_of(op, csv); });
}

std::vector<double> latencies(const FileTable& table) {
  std::vector<double> found;
  for (size_t row = 0; row < table.size(); ++row) found.push_back(table.latency_ms(row));
  return found;
}

TEST(FileTable, ColumnsAreFoundByNameInAnyOrderAndUnknownOnesAreNamed) {
  const FileTable table = table_of("gemm",
                                   "latency,k,n,m,color,kernel_source,gemm_dtype,op_name\n"
                                   "1.5,64,32,8,red,cublas,fp8,gemm\n2,64,32,16,blue,,bfloat16,gemm\n");
  ASSERT_EQ(table.size(), 2);
  EXPECT_EQ(decode<Gemm>(table.values(0)), (Gemm{.dtype = Quant::fp8, .m = 8, .n = 32, .k = 64}));
  EXPECT_THAT(latencies(table), ElementsAre(1.5, 2));
  EXPECT_EQ(Symbol::from_id(table.kernels()[0]).text(), "cublas");
  EXPECT_EQ(Symbol::from_id(table.kernels()[1]).text(), "") << "an unknown kernel is the empty one";
  EXPECT_EQ(table.power_w(0), 0) << "without the column";
  EXPECT_THAT(table.unknown_columns(), ElementsAre("color"));
}

TEST(FileTable, WhatCannotBeReadIsNamedWithRowAndReason) {
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,latency\nfp8,1,2,1\n"),
              HasSubstr("t.txt: column 'k' is missing"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,1\nfp7,1,2,3,1\n"),
              HasSubstr("t.txt: row 2: gemm_dtype: 'fp7' is not"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,x,2,3,1\n"),
              HasSubstr("t.txt: row 1: m: 'x' stands where integers are expected"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1.5,2,3,1\n"),
              HasSubstr("column 'm' holds numbers"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,x\n"),
              HasSubstr("row 1: latency: 'x' stands where numbers are expected"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,1\nfp8,1,2,4,nan\n"),
              HasSubstr("row 2: latency: 'nan' stands where numbers are expected"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,1e300\n"),
              HasSubstr("row 1: latency: it is longer than a day"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,1\nfp8,-5,2,3,1\n"),
              HasSubstr("row 2: m: -5 is negative"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,4611686018427387904,3,1\n"),
              HasSubstr("row 1: n: 4611686018427387904 is no size"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,m,latency\nfp8,1,2,3,1,1\n"),
              HasSubstr("t.txt: column 'm' occurs twice"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,-1\n"),
              HasSubstr("row 1: latency: -1 is negative"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,3,0\n"),
              HasSubstr("row 1: latency: it is not positive"));
  EXPECT_THAT(refused("gemm", "gemm_dtype,m,n,k,latency\nfp8,1,2,,1\n"), HasSubstr("row 1: k: it is empty"));
}

TEST(FileTable, AZeroIsReadWhereItIsAResult) {
  EXPECT_THAT(latencies(table_of("compute_scale", "m,k,quant_dtype,latency\n1,32,fp8,0\n")), ElementsAre(0));
}

TEST(FileTable, OldModesAreLeftOut) {
  const FileTable table =
      table_of("gemm", "gemm_dtype,m,n,k,latency\nawq,1,2,3,1\nfp8,1,2,3,2\ngptq,1,2,3,1\n");
  EXPECT_THAT(latencies(table), ElementsAre(2));
  EXPECT_EQ(table.left_out(), 2);
}

constexpr const char* kMoeHeader =
    "kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,"
    "distribution,"
    "latency\n";

TEST(FileTable, MoeRowsAreFiledByWhatTheirKernelMeans) {
  const std::string csv = std::string(kMoeHeader) +
                          "moe_torch_flow_min_latency,nvfp4,1,64,64,2,8,1,1,balanced,1\n"
                          "sglang_mxfp4_flashinfer_trtllm_moe,w4a8_mxfp4_mxfp8,2,64,64,2,8,1,1,balanced,2\n"
                          "sglang_flashinfer_cutlass_moe,w4a16_mxfp4,3,64,64,2,8,1,1,balanced,3\n"
                          "other,w4a16_mxfp4,4,64,64,2,8,1,1,balanced,4\n";
  const FileTable moe = table_of("moe", csv), low = table_of("moe_low_latency", csv);
  EXPECT_THAT(latencies(low), ElementsAre(1));
  EXPECT_THAT(latencies(moe), ElementsAre(2, 3, 4));
  EXPECT_EQ(decode<Moe>(moe.values(0)).dtype, Quant::w4a8_mxfp4_mxfp8_trtllm);
  EXPECT_EQ(decode<Moe>(moe.values(1)).dtype, Quant::w4a16_mxfp4_cutlass);
  EXPECT_EQ(decode<Moe>(moe.values(2)).dtype, Quant::w4a16_mxfp4);
}

TEST(FileTable, OfOneKeyTheFirstRowCountsAcrossKernelsAndTheLastWhereTheOpSaysSo) {
  const FileTable gemm = table_of("gemm",
                                  "kernel_source,gemm_dtype,m,n,k,latency\n"
                                  "a,fp8,1,2,3,1\nb,fp8,1,2,3,2\na,fp8,1,2,3,3\na,fp8,2,2,3,4\n");
  EXPECT_THAT(latencies(gemm), ElementsAre(1, 2, 4)) << "each kernel's first";
  EXPECT_EQ(gemm.repeats(), 1);
  EXPECT_THAT(gemm.parts().winners, ElementsAre(0, 2)) << "kernels do not matter for a GEMM";
  const std::string header =
      "kernel_source,model,architecture,mla_dtype,kv_cache_dtype,gemm_type,num_heads,batch_size,isl,tp_size,"
      "step,"
      "latency\n";
  const std::string row = "k,m,DeepseekV32ForCausalLM,bfloat16,fp8,bfloat16,8,1,16,1,0,";
  const FileTable dsa = table_of("dsa_context_module", header + row + "1\n" + row + "2\n");
  EXPECT_THAT(latencies(dsa), ElementsAre(2));
}

TEST(FileTable, RowsThatContradictTheOneThatCountsAreKnown) {
  const auto found = [](const FileTable& table) {
    std::vector<std::pair<double, double>> pairs;
    for (const Contradiction& c : table.contradictions())
      pairs.emplace_back(table.latency_ms(size_t(c.row)), c.other_ms);
    return pairs;
  };
  const std::string header = "kernel_source,gemm_dtype,m,n,k,latency\n";
  EXPECT_THAT(found(table_of("gemm", header + "a,fp8,9,2,3,7\na,fp8,1,2,3,1\na,fp8,1,2,3,1\na,fp8,1,2,3,3\n"
                                              "a,fp8,4,2,3,5\na,fp8,1,2,3,4\na,fp8,4,2,3,6\n")),
              ElementsAre(std::pair(1.0, 3.0), std::pair(5.0, 6.0)))
      << "of a case once, the first other latency";
  EXPECT_THAT(found(table_of("gemm", header + "a,fp8,1,2,3,1\na,fp8,1,2,3,1\nb,fp8,1,2,3,2\n")), IsEmpty())
      << "the same again, and another kernel";
  const std::string row = "k,m,DeepseekV32ForCausalLM,bfloat16,fp8,bfloat16,8,1,16,1,0,";
  EXPECT_THAT(found(table_of("dsa_context_module",
                             "kernel_source,model,architecture,mla_dtype,kv_cache_dtype,gemm_type,num_heads,"
                             "batch_size,isl,tp_size,step,latency\n" +
                                 row + "1\n" + row + "2\n" + row + "3\n")),
              ElementsAre(std::pair(3.0, 1.0)))
      << "where the last row counts";
}

TEST(FileTable, RowsOfSeveralOpsInOneFileAreToldApartByTheirName) {
  const std::string csv =
      "op_name,model,architecture,mla_dtype,kv_cache_dtype,gemm_type,num_heads,batch_size,isl,tp_size,step,"
      "latency\n"
      "dsa_context_module,m,GlmMoeDsaForCausalLM,bfloat16,fp8,bfloat16,8,1,16,1,0,1\n"
      "dsa_context_module_skip_indexer,m,GlmMoeDsaForCausalLM,bfloat16,fp8,bfloat16,8,1,16,1,0,2\n";
  EXPECT_THAT(latencies(table_of("dsa_context_module", csv)), ElementsAre(1));
  EXPECT_THAT(latencies(table_of("dsa_context_module_skip_indexer", csv)), ElementsAre(2));
}

TEST(FileTable, MicrosecondColumnsAddUp) {
  const FileTable table = table_of("deepep_normal",
                                   "op_name,node_num,hidden_size,num_token,num_topk,num_experts,dispatch_sms,"
                                   "dispatch_transmit_us,dispatch_notify_us,combine_sms,combine_transmit_us,"
                                   "combine_notify_us\nnormal,1,7168,16,8,256,20,100,10,20,200,5\n");
  EXPECT_THAT(latencies(table), ElementsAre(testing::DoubleEq(0.315)));
  EXPECT_EQ(table.measured(0, 2), 200);
}

// ---- merging --------------------------------------------------------------------------------------------------------

std::vector<double> merged(const PublishedTree& tree, const std::string& op,
                           SharedLayer shared = SharedLayer::on) {
  const OpRegistry ops = all_ops();
  const auto rows =
      SystemsRoot(tree.path(), ops, plain_options()).table_rows(ops.get(op), {"s", "vllm", "2.0", shared});
  std::vector<double> found;
  for (size_t row = 0; row < rows->size(); ++row) found.push_back(rows->latency_ms(row));
  return found;
}

TEST(TableRows, EarlierVersionsFillHolesKeyByKeyAndEveryRowKnowsItsFile) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,20", "a,fp8,2,2,3,21"});
  tree.put_gemm("s/gemm/vllm/1.0", {"z,fp8,2,2,3,10", "z,fp8,4,2,3,11", "z,bfloat16,1,2,3,12"});
  EXPECT_THAT(merged(tree, "gemm"), ElementsAre(20, 21, 11, 12));
  EXPECT_THAT(merged(tree, "gemm", SharedLayer::off), ElementsAre(20, 21));
  const OpRegistry ops = all_ops();
  const SystemsRoot root(tree.path(), ops, plain_options());
  const auto rows = root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on});
  EXPECT_EQ(root.table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on}), rows) << "kept";
  EXPECT_EQ(rows->source(1), 0);
  EXPECT_EQ(rows->source(2), 1);
  EXPECT_EQ(rows->sources()[1].source.version, "1.0");
  EXPECT_EQ(rows->sources()[1].rows, 3);
  EXPECT_EQ(rows->sources()[1].used, 2);
  EXPECT_EQ(rows->value(2, 1), 4) << "field m";
  EXPECT_EQ(rows->kernel(2).text(), "z");
}

TEST(TableRows, SiblingsGiveOnlyRowsOfSharedKernels) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,20"});
  tree.put_gemm("s/gemm/trtllm/1.0", {"b,fp8,8,2,3,1", "shared,fp8,8,2,3,2", "shared,fp8,1,2,3,3"});
  tree.put("perf_data_reuse_manifest.yaml",
           "groups:\n- {op_file: gemm_perf.parquet, kernel_source: shared, tier: shared, frameworks: "
           "[trtllm, vllm]}\n");
  EXPECT_THAT(merged(tree, "gemm"), ElementsAre(20, 2)) << "not hidden by the row of b before it";
}

TEST(TableRows, AttentionKernelsAreLanesOfTheirOwn) {
  PublishedTree tree;
  tree.put_system("s");
  const std::string header =
      "kernel_source,batch_size,isl,num_heads,num_key_value_heads,head_dim,window_size,beam_width,attn_dtype,"
      "kv_cache_dtype,step,latency\n";
  const std::string row = ",1,16,8,8,128,0,1,bfloat16,bfloat16,0,";
  tree.put("data/s/attention/vllm/2.0/context_attention_perf.txt", header + "fa3" + row + "1\n");
  tree.put("data/s/attention/vllm/1.0/context_attention_perf.txt",
           header + "triton" + row + "2\n" + "fa3" + row + "3\n");
  EXPECT_THAT(merged(tree, "attention_context"), ElementsAre(1, 2));
}

TEST(TableRows, MegaMoeReadsOneFileAndRefusesRepeats) {
  EXPECT_THAT(table_of("gemm", "gemm_dtype,m,n,k,latency\n").unknown_columns(), IsEmpty());
  const OpRegistry ops = all_ops();
  std::string header = "latency,routed_scaling_factor", row = "1,2.5";
  const OpType& op = ops.get("dsv4_mega_moe");
  for (size_t i = 0; i < op.fields.size(); ++i) {
    header += fmt::format(",{}", op.fields[i].column);
    row += fmt::format(",{}", op.fields[i].format(op.defaults()[i]));
  }
  EXPECT_EQ(table_of("dsv4_mega_moe", header + "\n" + row + "\n").size(), 1);
  EXPECT_THAT(refused("dsv4_mega_moe", header + "\n" + row + "\n" + row + "\n"),
              HasSubstr("t.txt: row 2 repeats row 1"));
}

TEST(TableRows, ATableThatCannotBeReadLeavesTheOthersAlone) {
  PublishedTree tree;
  tree.put_system("s");
  tree.put_gemm("s/gemm/vllm/2.0", {"a,fp8,1,2,3,20"});
  tree.put("data/s/moe/vllm/2.0/moe_perf.parquet",
           "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  EXPECT_THAT(merged(tree, "gemm"), ElementsAre(20));
  EXPECT_THAT(refusal([&] { (void)merged(tree, "moe"); }),
              HasSubstr("moe_perf.parquet is a Git-LFS pointer"));
  tree.put("data/s/moe/vllm/2.0/moe_perf.parquet", "PAR1 nonsense");
  EXPECT_THAT(refusal([&] { (void)merged(tree, "moe"); }), HasSubstr("moe_perf.parquet: "));
  EXPECT_THAT(merged(tree, "rope"), IsEmpty()) << "no file, no rows, no error";
}

// ---- properties -----------------------------------------------------------------------------------------------------

RC_GTEST_PROP(PackedColumns, GiveBackWhatWasPutIn, (const std::vector<int64_t>& values)) {
  const PackedColumn column(values);
  for (size_t i = 0; i < values.size(); ++i) RC_ASSERT(column[i] == values[i]);
}

RC_GTEST_PROP(PackedColumns, KeepManyDistinctValuesApart, ()) {
  const auto distinct = *rc::gen::inRange<int64_t>(1, 70000);
  std::vector<int64_t> values;
  for (int64_t i = 0; i < distinct; ++i) values.push_back(i * 7);
  const PackedColumn column(values);
  RC_ASSERT(column.width() == (distinct == 1 ? 0 : distinct <= 256 ? 1 : distinct <= 65536 ? 2 : 4));
  RC_ASSERT(column[size_t(distinct - 1)] == (distinct - 1) * 7);
}

RC_GTEST_PROP(RealColumns, AreExact, (const std::vector<double>& doubles, const std::vector<float>& floats)) {
  const RealColumn wide(doubles);
  for (size_t i = 0; i < doubles.size(); ++i) RC_ASSERT(wide[i] == doubles[i]);
  const RealColumn narrow(std::vector<double>(floats.begin(), floats.end()));
  RC_ASSERT(narrow.width() == 4);
  for (size_t i = 0; i < floats.size(); ++i) RC_ASSERT(narrow[i] == double(floats[i]));
}

/// The merged rows are those that a map filled row by row would hold.
RC_GTEST_PROP(TableRowsProperty, FirstFileAndFirstRowOfAKeyCount, ()) {
  const PublishedTree tree;
  tree.put_system("s");
  std::map<std::pair<int, int>, double> expected;
  double latency = 0;
  for (const char* const version : {"2.0", "1.0", "0.5"}) {
    std::vector<std::string> rows;
    const int count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
      const int m = *rc::gen::inRange(1, 4), n = *rc::gen::inRange(1, 3), kernel = *rc::gen::inRange(0, 2);
      rows.push_back(fmt::format("k{},fp8,{},{},3,{}", kernel, m, n, ++latency));
      expected.try_emplace({m, n}, latency);
    }
    tree.put_gemm("s/gemm/vllm/" + std::string(version), rows);
  }
  std::map<std::pair<int, int>, double> found;
  const OpRegistry ops = all_ops();
  const auto rows = SystemsRoot(tree.path(), ops, plain_options())
                        .table_rows(ops.get("gemm"), {"s", "vllm", "2.0", SharedLayer::on});
  for (size_t row = 0; row < rows->size(); ++row) {
    const Gemm op = decode<Gemm>(rows->values(row));
    RC_ASSERT(found.emplace(std::pair(int(op.m), int(op.n)), rows->latency_ms(row)).second);
  }
  RC_ASSERT(found == expected);
}

}  // namespace
}  // namespace perfatlas
