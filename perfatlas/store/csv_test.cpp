// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/csv.h"

#include <fmt/format.h>
#include <rapidcheck.h>

#include "perfatlas/base/file.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/store/toy_tables_test.h"

namespace perfatlas {
namespace {

const OpType kToy = make_op_type<ToyOp>();
const OpType kSteps = make_op_type<ToySteps>();

std::vector<Row> parse(const OpType& op, const std::string& text) {
  std::vector<Row> rows;
  parse_csv_table(op, text, "t.txt", [&](Row&& row) { rows.push_back(std::move(row)); });
  return rows;
}

/// The toy table as other tools publish it: no power, no quality columns.
constexpr const char* kForeignHeader =
    "framework,version,device,op_name,kernel_source,toy_dtype,m,causal,model,latency\n";

std::string refusal(const std::string& text) {
  return error_of([&] { (void)parse(kToy, text); });
}
std::string refused_row(const std::string& row) { return refusal(kForeignHeader + row); }

TEST(Csv, HeaderIsIdentityFieldsMeasuredPowerQuality) {
  EXPECT_EQ(
      csv_header(kToy),
      "framework,version,device,op_name,kernel_source,toy_dtype,m,causal,model,latency,power,power_limit,"
      "samples,latency_p10,latency_p90,rel_ci95,cache_state,launch,clock_mhz,temperature_c,throttled,energy_"
      "mj,"
      "efficiency,seed,case_id,run_id");
}

TEST(Csv, FieldsClaimIdentityColumnsInTheirPlace) {
  EXPECT_TRUE(csv_header(kSteps).starts_with(
      "framework,version,device,op_name,kernel_source,tokens,send_us,notify_us,bandwidth_gbps,power,"));
  const auto rows =
      parse(kSteps,
            "framework,version,device,op_name,kernel_source,tokens,send_us,notify_us,bandwidth_gbps\n"
            "sglang,0.5,H200,post,conv,4,27.5,0,3\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(fields_text(rows[0].c), "op_name=post tokens=4 kernel_source=conv");
  EXPECT_EQ(rows[0].kernel_source, "conv");
  EXPECT_DOUBLE_EQ(latency_ms(rows[0]), 0.0275);
}

TEST(Csv, TheKernelThatRanHasAColumnOfItsOwnWhereAFieldClaimsKernelSource) {
  const std::string header = csv_header(kSteps);
  EXPECT_TRUE(header.ends_with(",case_id,run_id,kernel")) << header;
  EXPECT_EQ(csv_header(kToy).find(",kernel,"), std::string::npos);
  Row row{.c = make_case(kSteps, ToySteps{.tokens = 4}),
          .framework = "onednn",
          .version = "3.2.0",
          .device = "Xeon",
          .kernel_source = "perfatlas_avx512",
          .measured = {27.5, 0, 3}};
  row.quality = RowQuality{.samples = 1, .case_id = case_id(row.c)};
  const auto rows = parse(kSteps, header + "\n" + csv_line(row) + "\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], row);
  EXPECT_NE(csv_line(row).find(",scan,"), std::string::npos);  // the sub-kernel stays in kernel_source
  Row other = row;
  other.kernel_source = "perfatlas_portable";
  EXPECT_NE(row_identity(rows[0]), row_identity(other));
}

TEST(Csv, LineLeavesUnknownCellsEmptyAndQuotesCommas) {
  Row row{.c = make_case(kToy, ToyOp{.m = 8, .model = Symbol("q")}),
          .framework = "onednn",
          .version = "3.2.0",
          .device = "Xeon, \"6\"",
          .kernel_source = "jit",
          .measured = {0.25}};
  EXPECT_EQ(csv_line(row), "onednn,3.2.0,\"Xeon, \"\"6\"\"\",toy,jit,bfloat16,8,true,q,0.25,,,,,,,,,,,,,,,,");
  row.power_w = 523.4;
  row.quality = RowQuality{.samples = 7,
                           .latency_p10_ms = 0.2,
                           .latency_p90_ms = 0.3,
                           .rel_ci95 = 0.01,
                           .clock_mhz = 2100,
                           .seed = 18446744073709551615u,
                           .case_id = case_id(row.c),
                           .run_id = "r"};
  EXPECT_EQ(csv_line(row),
            "onednn,3.2.0,\"Xeon, "
            "\"\"6\"\"\",toy,jit,bfloat16,8,true,q,0.25,523.4,,7,0.2,0.3,0.01,serving,direct,2100"
            ",,false,,,18446744073709551615," +
                hex16(case_id(row.c)) + ",r");
}

void check_round_trip(const OpType& op) {
  EXPECT_TRUE(rc::check([&](uint64_t seed) {
    RandomRows random(seed);
    std::vector<Row> rows;
    for (int i = 0; i < 5; ++i) rows.push_back(random.next(op));
    RC_ASSERT(parse(op, csv_table(op, rows)) == rows);
  }));
}
TEST(Csv, RowsReadBackEqual) { check_round_trip(kToy); }
TEST(Csv, RowsWithClaimedColumnsReadBackEqual) { check_round_trip(kSteps); }

TEST(Csv, ReadsForeignTablesInAnyColumnOrderWithCrLfAndByteOrderMark) {
  const auto rows =
      parse(kToy,
            "\xEF\xBB\xBF"
            "m,latency,framework,version,device,op_name,kernel_source,model,toy_dtype,causal\r\n"
            "16,1e-3,TRTLLM,1.3,\"NVIDIA, H200\",toy,flow,a/b,fp8,True\r\n");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(case_text(rows[0].c), "toy toy_dtype=fp8 m=16 causal=true model=a/b");
  EXPECT_EQ(rows[0].device, "NVIDIA, H200");
  EXPECT_EQ(rows[0].measured[0], 1e-3);
  EXPECT_FALSE(rows[0].quality || rows[0].power_w);
}

TEST(Csv, AbsentColumnsTakeTheirDeclaredValues) {
  const OpType grown = make_op_type<ToyGrown>();
  const std::string head = "framework,version,device,op_name,kernel_source,";
  const auto rows = parse(grown, head + "latency,m\nvllm,1,H,g,k,1.5,99\nvllm,1,H,g,k,1.5,100\n");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(fields_text(rows[0].c), "m=99 window=7 gated=false");
  EXPECT_EQ(fields_text(rows[1].c), "m=100 window=7 gated=true");
  const auto present = parse(grown, head + "m,gated,window,latency\nvllm,1,H,g,k,100,false,0,1.5\n");
  EXPECT_EQ(fields_text(present[0].c), "m=100 window=0 gated=false");
}

TEST(Csv, HeaderAloneIsATableWithoutRows) { EXPECT_TRUE(parse(kToy, kForeignHeader).empty()); }

TEST(Csv, EmptyLinesAtTheEndAreNoRows) {
  for (const char* const end : {"\n", "\n\n", "\r\n\r\n"})
    EXPECT_TRUE(parse(kToy, kForeignHeader + std::string(end)).empty());
}

TEST(Csv, ZeroPowerOfPublishedTablesIsUnknown) {
  const auto rows =
      parse(kToy,
            "framework,version,device,op_name,kernel_source,toy_dtype,m,causal,model,latency,power,"
            "power_limit\nX,1,H,toy,k,fp8,1,true,,2,0,700\n");
  EXPECT_EQ(rows.at(0).power_w, std::nullopt);
  EXPECT_EQ(rows.at(0).power_limit_w, 700);
}

TEST(Csv, RefusesHeaders) {
  EXPECT_EQ(refusal(""), "t.txt: the file is empty; a table starts with a header");
  EXPECT_EQ(refusal("framework,version\n"), "t.txt:1: column 'device' is missing");
  EXPECT_EQ(refusal("framework,speed\n"), "t.txt:1: there is no column 'speed' in this table");
  EXPECT_EQ(refusal("framework,framework\n"), "t.txt:1: column 'framework' occurs twice");
  EXPECT_EQ(
      refusal("framework,version,device,op_name,kernel_source,toy_dtype,m,causal,model,latency,samples\n"),
      "t.txt:1: column 'latency_p10' is missing");
  EXPECT_EQ(refusal("framework,\"version\n"), "t.txt:1: a quote is left open");
  EXPECT_EQ(refusal(std::string("PAR1\0\0\0", 7) + "\n"),
            "t.txt:1: the line has a control character; this is not a table");
}

TEST(Csv, RefusesRows) {
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,0.5\nX,1,H,toy,k,fp8,1,tr"),
            "t.txt:3: the line is torn: the file ends without a newline");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q\n"), "t.txt:2: 9 cells where the header has 10");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,0.5,\n"), "t.txt:2: 11 cells where the header has 10");
  EXPECT_EQ(refused_row("\nX,1,H,toy,k,fp8,1,true,q,0.5\n"), "t.txt:2: 1 cells where the header has 10");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,nan\n"), "t.txt:2: latency: 'nan' is not a finite number");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,inf\n"), "t.txt:2: latency: 'inf' is not a finite number");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,fast\n"),
            "t.txt:2: latency: 'fast' is not a finite number");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,\n"), "t.txt:2: latency: it is empty");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,-1\n"), "t.txt:2: latency: -1 is negative");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,true,q,0\n"), "t.txt:2: latency is not positive");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1.0,true,q,1\n"), "t.txt:2: m: '1.0' is not an integer");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,0,true,q,1\n"), "t.txt:2: invalid case: m must be positive");
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,,true,q,1\n"), "t.txt:2: m: it is empty");
  EXPECT_EQ(refused_row("X,1,H,gemm,k,fp8,1,true,q,1\n"),
            "t.txt:2: op_name: it is 'gemm', this table holds 'toy'");
  EXPECT_NE(refused_row("X,1,H,toy,k,1,fp8,true,q,1\n").find("t.txt:2: toy_dtype: '1' is not one of"),
            std::string::npos);
  EXPECT_EQ(refused_row("X,1,H,toy,k,fp8,1,maybe,q,1\n"), "t.txt:2: causal: 'maybe' is not true or false");
  EXPECT_EQ(refused_row("X,1,\"H\"2,toy,k,fp8,1,true,q,1\n"), "t.txt:2: text follows a closing quote");
  EXPECT_EQ(refused_row("X,1,H\"2,toy,k,fp8,1,true,q,1\n"),
            "t.txt:2: a quote stands inside an unquoted cell");
  EXPECT_EQ(refused_row(std::string(1 << 20, 'x') + "\n"),
            "t.txt:2: the line is longer than 64 KiB; this is not a table");
}

TEST(Csv, SwappedColumnsAreNoticedByTheCaseId) {
  Row row = RandomRows(1).next(kToy);
  row.c = make_case(kToy, ToyOp{.m = 3});
  row.quality = RowQuality{.samples = 1, .case_id = case_id(row.c)};
  std::string text = csv_table(kToy, std::vector{row});
  ASSERT_EQ(parse(kToy, text).size(), 1u);
  text.replace(text.rfind(",3,true,"), 8, ",4,true,");
  EXPECT_NE(refusal(text).find("t.txt:2: case_id is"), std::string::npos) << refusal(text);
}

TEST(Csv, HalfFilledQualityIsRefused) {
  Row row = RandomRows(1).next(kToy);
  row.quality = RowQuality{.samples = 5, .case_id = case_id(row.c)};
  std::string text = csv_table(kToy, std::vector{row});
  std::string without_samples = text, without_state = text;
  without_samples.replace(without_samples.rfind(",5,0,0,0,serving"), 3, ",,");
  EXPECT_EQ(refusal(without_samples), "t.txt:2: latency_p10: it has a value although samples is empty");
  without_state.replace(without_state.rfind(",serving,"), 9, ",,");
  EXPECT_EQ(refusal(without_state), "t.txt:2: cache_state: it is empty although samples is not");
}

TEST(Csv, GitLfsPointerIsNamed) {
  EXPECT_EQ(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
            "t.txt is a Git-LFS pointer, not the table: fetch it with `git lfs pull`");
}

TEST(Csv, EveryTornPrefixIsRefusedOrEndsAtALine) {
  RandomRows random(3);
  const std::string whole = csv_table(kToy, std::vector{random.next(kToy), random.next(kToy)});
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    const std::string prefix = whole.substr(0, bytes);
    if (prefix.ends_with('\n'))
      EXPECT_LE(parse(kToy, prefix).size(), 1u);
    else
      EXPECT_NE(refusal(prefix), "no error") << bytes;
  }
}

TEST(Csv, AnyBytesAreRefusedOrRead) {
  EXPECT_TRUE(rc::check([](uint64_t seed, std::vector<std::pair<uint16_t, char>> edits) {
    RandomRows random(seed);
    std::string text = csv_table(kToy, std::vector{random.next(kToy), random.next(kToy)});
    for (const auto& [at, byte] : edits) text[at % text.size()] = byte;
    const std::string outcome = refusal(text);  // whatever it is: one line, no crash
    RC_ASSERT(outcome.find('\n') == std::string::npos);
  }));
}

TEST(Csv, ControlCharactersAreNotWritten) {
  Row row = RandomRows(1).next(kToy);
  row.device = "a\nb";
  EXPECT_NE(error_of([&] { (void)csv_line(row); }).find("control character"), std::string::npos);
}

TEST(Csv, FileIsNamedInErrors) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of([&] { (void)read_csv_table(kToy, folder / "none.txt"); }).find("none.txt"),
            std::string::npos);
  const std::vector<Row> rows = {RandomRows(5).next(kToy)};
  write_csv_table(kToy, rows, folder / "toy_perf.txt");
  EXPECT_EQ(read_csv_table(kToy, folder / "toy_perf.txt"), rows);
}

TEST(Csv, RowsThatAreMadeWhenAskedForGiveTheSameTable) {
  RandomRows random(5);
  std::vector<Row> rows;
  for (int i = 0; i < 70'000; ++i)
    rows.push_back(i < 100 ? random.next(kToy) : rows[size_t(i) % 100]);  // two blocks
  const TemporaryFolder folder;
  write_csv_table(kToy, RowsToWrite(rows.size(), [&](size_t i, Row& row) { row = rows[i]; }),
                  folder / "toy_perf.txt");
  EXPECT_EQ(read_file(folder / "toy_perf.txt"), csv_table(kToy, rows));
  EXPECT_EQ(read_csv_table(kToy, folder / "toy_perf.txt"), rows);
}

}  // namespace
}  // namespace perfatlas
