// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/database.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "perfatlas/base/error.h"
#include "perfatlas/db/answer_text.h"
#include "perfatlas/ops/gemm/gemm.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/store/csv.h"

namespace perfatlas {
namespace {

namespace fs = std::filesystem;

/// A data folder with one system that is described and one that is not.
class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    std::string pattern = (fs::temp_directory_path() / "perfatlas-db-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    SystemSpec spec{
        .system = "box", .device = "A box, 2 cores", .kind = "cpu", .probed_at = "2026-01-01T00:00:00Z"};
    spec.memory_bandwidth.measured = 1e12;
    spec.flops[DType::bf16].measured = 20e12;
    fs::create_directories(root_ / "box");
    write_system_spec(spec, (root_ / "box" / "system.json").string());
    write("box/onednn/3.2.0", {row(64, 0.012, "brgemm"), row(128, 0.02, "brgemm"), row(256, 0.04, "jit")});
    write("box/onednn/3.2.0rc1", {row(64, 9, "brgemm")});
    write("box/onednn/3.10.0", {}, "attention_context_perf");
    write("other/cuda/12.8", {foreign(64, 0.5)});
    write("other/vllm/0.5", {foreign(64, 0.7)});
  }
  ~DatabaseTest() override { fs::remove_all(root_); }

  Row foreign(int64_t m, double latency_ms) const {
    Row made{.c = gemm({.m = m, .n = 1024, .k = 1024})};
    made.framework = "TEST";
    made.version = "1";
    made.device = "A box, 2 cores";
    made.kernel_source = "default";
    made.measured = {latency_ms};
    return made;
  }
  Row row(int64_t m, double latency_ms, std::string kernel) const {
    Row made = foreign(m, latency_ms);
    made.kernel_source = std::move(kernel);
    made.quality = RowQuality{.samples = 20, .latency_p10_ms = latency_ms, .latency_p90_ms = latency_ms};
    made.quality->rel_ci95 = 0.004;
    made.quality->energy_mj = latency_ms * 50;
    made.quality->case_id = case_id(made.c);
    made.quality->run_id = "run";
    return made;
  }
  void write(const std::string& folder, const std::vector<Row>& rows, const std::string& stem = "gemm_perf") {
    fs::create_directories(root_ / folder);
    write_csv_table(op_, rows, (root_ / folder / (stem + ".txt")).string());
  }
  Case gemm(const Gemm& value) const { return make_case(op_, value); }
  Case tokens(int64_t m) const { return gemm({.m = m, .n = 1024, .k = 1024}); }
  Answer ask(const Case& asked, QueryOptions options) {
    options.engine = engine_;
    return Database(root_.string()).query(asked, options);
  }
  std::string refusal(const Case& asked, const QueryOptions& options) {
    try {
      (void)ask(asked, options);
    } catch (const UsageError& error) {
      std::string text = error.what();
      if (const size_t at = text.find(root_.string()); at != text.npos)
        text.replace(at, root_.string().size(), "DATA");
      return text;
    }
    return "no refusal";
  }

  OpType op_ = make_op_type<Gemm>();
  fs::path root_;
  Engine engine_ = Engine::aic;
};

TEST_F(DatabaseTest, MeasuredCaseAnswersItsRow) {
  EXPECT_EQ(answer_text(tokens(64), ask(tokens(64), {.system = "box"})),
            R"(gemm gemm_dtype=bfloat16 m=64 n=1024 k=1024
  latency        0.012 ms (± 0.4 %)
  energy         0.6 mJ
  source         measured
  where          box / onednn / 3.2.0, cache state serving, kernel brgemm
  speed of light 0.006711 ms (56 % reached)
  from           m=64 n=1024 k=1024: 0.012 ms (± 0.4 %), brgemm, weight 1.00
  note           onednn 3.10.0 is newer but has no table gemm_perf
)");
}

TEST_F(DatabaseTest, InterpolatedAnswerShowsItsRows) {
  EXPECT_EQ(answer_text(tokens(96), ask(tokens(96), {.system = "box", .backend = "onednn"})),
            R"(gemm gemm_dtype=bfloat16 m=96 n=1024 k=1024
  latency        0.016 ms (error bar unknown)
  energy         0.8 mJ
  source         interpolated, 0.42 octaves from the nearest measured case
  where          box / onednn / 3.2.0, cache state serving, kernel brgemm
  speed of light 0.01007 ms (63 % reached)
  from           m=64 n=1024 k=1024: 0.012 ms (± 0.4 %), brgemm, weight 0.50
                 m=128 n=1024 k=1024: 0.02 ms (± 0.4 %), brgemm, weight 0.50
  note           onednn 3.10.0 is newer but has no table gemm_perf
)");
}

TEST_F(DatabaseTest, ExtrapolatedAnswerShowsItsRows) {
  EXPECT_EQ(answer_text(tokens(1024), ask(tokens(1024), {.system = "box", .version = "3.2.0"})),
            R"(gemm gemm_dtype=bfloat16 m=1024 n=1024 k=1024
  latency        0.16 ms (error bar unknown)
  energy         8 mJ
  source         extrapolated by held efficiency, 2.00 octaves from the nearest measured case
  where          box / onednn / 3.2.0, cache state serving, kernel brgemm+jit
  speed of light 0.1074 ms (67 % reached)
  from           m=64 n=1024 k=1024: 0.012 ms (± 0.4 %), brgemm, weight 0.33
                 m=256 n=1024 k=1024: 0.04 ms (± 0.4 %), jit, weight 0.33
                 m=128 n=1024 k=1024: 0.02 ms (± 0.4 %), brgemm, weight 0.33
)");
}

TEST_F(DatabaseTest, MissShowsItsReason) {
  const Case miss = gemm({.dtype = Quant::fp8, .m = 64, .n = 1024, .k = 1024});
  EXPECT_EQ(answer_text(miss, ask(miss, {.system = "box", .version = "3.2.0"})),
            R"(gemm gemm_dtype=fp8 m=64 n=1024 k=1024
  no answer      no rows for gemm_dtype=fp8 in box/onednn/3.2.0; measured: bfloat16
  where          box / onednn / 3.2.0
)");
}

TEST_F(DatabaseTest, UnknownNamesAreRefusedWithWhatIsKnown) {
  EXPECT_EQ(refusal(tokens(64), {.system = "bx"}),
            "there is no system 'bx' in DATA (did you mean box?); known: box and other");
  EXPECT_EQ(refusal(tokens(64), {}), "say which system with --system: box and other");
  EXPECT_EQ(refusal(tokens(64), {.system = "box", .backend = "ggml"}),
            "box has no back end ggml; known: onednn");
  EXPECT_EQ(refusal(tokens(64), {.system = "box", .backend = "onednn", .version = "4"}),
            "box/onednn has no version 4; known: 3.10.0, 3.2.0 and 3.2.0rc1");
  EXPECT_EQ(refusal(tokens(64), {.system = "other"}),
            "other has gemm rows of the back ends cuda and vllm; say which with --backend");
  EXPECT_EQ(refusal(tokens(0), {.system = "box"}),
            "gemm gemm_dtype=bfloat16 m=0 n=1024 k=1024: m, n and k must be positive");
}

TEST_F(DatabaseTest, MissesNameWhatIsMeasured) {
  EXPECT_EQ(ask(gemm({.dtype = Quant::fp8, .m = 64, .n = 1024, .k = 1024}), {.system = "box"}).miss_reason,
            "no rows for gemm_dtype=fp8 in box/onednn/3.2.0; measured: bfloat16");
  EXPECT_EQ(ask(tokens(64), {.system = "box", .cache_state = CacheState::hot}).miss_reason,
            "no rows of cache state hot in box/onednn/3.2.0; measured: serving");
  EXPECT_EQ(ask(tokens(64), {.system = "box", .kernel = "ref"}).miss_reason,
            "no rows of kernel ref in box/onednn/3.2.0; measured: brgemm and jit");
  EXPECT_EQ(ask(tokens(64), {.system = "box", .version = "3.10.0"}).miss_reason,
            "no table gemm_perf in box/3.10.0; tables there: attention_context_perf");
  EXPECT_EQ(ask(gemm({.m = 64, .n = 8, .k = 8}), {.system = "box"}).miss_reason,
            "no measured shape lies within 2 octaves in box/onednn/3.2.0");
  EXPECT_EQ(ask(tokens(999), {.system = "other", .backend = "vllm"}).miss_reason,
            "the case lies beyond the measured curve and no speed of light is known to extend it in "
            "other/vllm/0.5");
}

TEST_F(DatabaseTest, ForeignRowsAnswerWithoutCacheStateOrErrorBar) {
  const Answer answer = ask(tokens(64), {.system = "other", .backend = "cuda"});
  EXPECT_EQ(answer.source, AnswerSource::measured);
  EXPECT_EQ(answer.latency_ms, 0.5);
  EXPECT_FALSE(answer.cache_state);
  EXPECT_FALSE(answer.rel_error);
  EXPECT_FALSE(answer.energy_mj);
}

TEST_F(DatabaseTest, VersionsAreKeptApart) {
  Database database(root_.string());
  EXPECT_EQ(database.systems(), (std::vector<std::string>{"box", "other"}));
  EXPECT_EQ(database.query(tokens(64), {.system = "box", .version = "3.2.0rc1"}).latency_ms, 9);
  EXPECT_EQ(database.query(tokens(64), {.system = "box", .version = "3.2.0"}).latency_ms, 0.012);
}

TEST_F(DatabaseTest, SpeedOfLightOnlyWhenAllowedAndSaidSo) {
  const Case asked = gemm({.dtype = Quant::int8_wo, .m = 64, .n = 1024, .k = 1024});
  EXPECT_FALSE(ask(asked, {.system = "box", .version = "3.2.0"}));
  EXPECT_EQ(answer_text(asked, ask(asked, {.system = "box", .version = "3.2.0", .allow_sol = true})),
            R"(gemm gemm_dtype=int8_wo m=64 n=1024 k=1024
  at least       0.006711 ms
  energy         unknown
  source         speed of light: a lower bound of this machine, nothing was measured
  where          box, cache state serving
  note           no rows for gemm_dtype=int8_wo in box/onednn/3.2.0; measured: bfloat16
)");
}

TEST_F(DatabaseTest, SpeedOfLightIsNotGuessed) {
  const Case asked = gemm({.dtype = Quant::f32, .m = 64, .n = 1024, .k = 1024});
  EXPECT_EQ(
      ask(asked, {.system = "box", .allow_sol = true}).miss_reason,
      "no rows for gemm_dtype=float32 in box/onednn/3.2.0; measured: bfloat16; no speed of light either: a "
      "peak that this op needs is unknown");
  EXPECT_EQ(
      ask(asked, {.system = "other", .backend = "cuda", .allow_sol = true}).miss_reason,
      "no rows for gemm_dtype=float32 in other/cuda/12.8; measured: bfloat16; no speed of light either: the "
      "machine is not described");
}

TEST_F(DatabaseTest, DamagedTableIsAnErrorThatNamesTheFile) {
  std::ofstream(root_ / "box/onednn/3.2.0/gemm_perf.txt", std::ios::app) << "torn,li";
  try {
    (void)ask(tokens(64), {.system = "box"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("gemm_perf.txt:5"), std::string::npos) << error.what();
  }
}

TEST_F(DatabaseTest, JsonHasEveryMemberAndNullsForTheUnknown) {
  EXPECT_EQ(answer_json(tokens(64), ask(tokens(64), {.system = "other", .backend = "cuda"})),
            R"({"op":"gemm","fields":{"gemm_dtype":"bfloat16","m":64,"n":1024,"k":1024},)"
            R"("source":"measured","latency_ms":0.5,"rel_error":null,)"
            R"("engine":"aic","intervals":null,"repaired":false,"faster_than_light":false,)"
            R"("energy_mj":null,"distance_octaves":0.0,)"
            R"("sol_ms":null,"system":"other","backend":"cuda","version":"12.8","cache_state":null,)"
            R"("kernel_source":"default","derived_from":[{"point":"m=64 n=1024 k=1024","latency_ms":0.5,)"
            R"("rel_ci95":null,"kernel_source":"default","weight":1.0,"origin":null}],)"
            R"("notes":["the machine is not described, so nothing is answered beyond the measured cases"],)"
            R"("miss_reason":null})");
  EXPECT_EQ(answer_json(tokens(64), ask(tokens(64), {.system = "box", .kernel = "ref"})),
            R"({"op":"gemm","fields":{"gemm_dtype":"bfloat16","m":64,"n":1024,"k":1024},"source":"none",)"
            R"("latency_ms":null,"rel_error":null,"engine":"aic","intervals":null,"repaired":false,)"
            R"("faster_than_light":false,"energy_mj":null,"distance_octaves":null,"sol_ms":null,)"
            R"("system":"box","backend":"onednn","version":"3.2.0","cache_state":null,"kernel_source":null,)"
            R"("derived_from":[],"notes":["onednn 3.10.0 is newer but has no table gemm_perf"],)"
            R"("miss_reason":"no rows of kernel ref in box/onednn/3.2.0; measured: brgemm and jit"})");
}

TEST_F(DatabaseTest, AtlasIsTheDefaultAndGivesIntervals) {
  engine_ = Engine::atlas;
  EXPECT_EQ(QueryOptions().engine, Engine::atlas);
  EXPECT_EQ(answer_text(tokens(96), ask(tokens(96), {.system = "box", .version = "3.2.0"})),
            R"(gemm gemm_dtype=bfloat16 m=96 n=1024 k=1024
  latency        0.016 ms (± 6.2 %)
  intervals      50 %: 0.01568 to 0.01632 ms, 80 %: 0.01507 to 0.01699 ms, 95 %: 0.0131 to 0.01954 ms
  energy         0.8 mJ
  source         interpolated, 0.42 octaves from the nearest measured case
  where          box / onednn / 3.2.0, cache state serving, kernel brgemm
  speed of light 0.01007 ms (63 % reached)
  from           m=64 n=1024 k=1024: 0.012 ms (± 0.4 %), brgemm, weight 0.50
                 m=128 n=1024 k=1024: 0.02 ms (± 0.4 %), brgemm, weight 0.50
)");
}

TEST_F(DatabaseTest, AtlasAnswersMeasuredCasesWithTheirOwnInterval) {
  engine_ = Engine::atlas;
  const Answer answer = ask(tokens(64), {.system = "box", .version = "3.2.0"});
  EXPECT_EQ(answer.source, AnswerSource::measured);
  EXPECT_EQ(answer.latency_ms, 0.012);
  EXPECT_EQ(answer.rel_error, 0.004);
  EXPECT_TRUE(answer.intervals);
}

TEST_F(DatabaseTest, AtlasFlagsRowsThatBeatTheSpeedOfLight) {
  engine_ = Engine::atlas;
  write("box/onednn/4.0.0", {row(64, 0.001, "brgemm"), row(128, 0.02, "brgemm"), row(256, 0.04, "brgemm")});
  const Answer fast = ask(tokens(64), {.system = "box", .version = "4.0.0"});
  EXPECT_TRUE(fast.faster_than_light);
  EXPECT_EQ(fast.latency_ms, 0.001);
  EXPECT_FALSE(ask(tokens(200), {.system = "box", .version = "4.0.0"}).faster_than_light);
}

TEST_F(DatabaseTest, AtlasGoesBeyondTheDataInProportionToWork) {
  engine_ = Engine::atlas;
  const Answer beyond = ask(tokens(512), {.system = "box", .version = "3.2.0"});
  EXPECT_EQ(beyond.source, AnswerSource::extrapolated);
  EXPECT_NEAR(beyond.latency_ms, 0.0773, 0.001);  // the line through m = 64 and 256, in flops plus bytes
  ASSERT_EQ(beyond.derived_from.size(), 2u);
  EXPECT_EQ(beyond.derived_from[0].point, "m=256 n=1024 k=1024");
  EXPECT_EQ(ask(tokens(999), {.system = "other", .backend = "vllm"}).source, AnswerSource::none);
}

TEST_F(DatabaseTest, DescribedSystemWithoutTablesIsKnown) {
  fs::remove_all(root_ / "box" / "onednn");
  const Answer answer = ask(tokens(64), {.system = "box", .allow_sol = true});
  EXPECT_EQ(answer.source, AnswerSource::speed_of_light);
  EXPECT_EQ(answer.notes, std::vector<std::string>{"no table gemm_perf in box; tables there: nothing"});
  EXPECT_EQ(refusal(tokens(64), {.system = "box", .backend = "onednn"}),
            "box has no tables, so no back end onednn");
}

}  // namespace
}  // namespace perfatlas
