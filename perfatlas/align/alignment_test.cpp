// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/align/alignment.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

constexpr char kGemm[] = "gemm gemm_dtype=bfloat16 m=8 n=4096 k=4096";

/// Two launches of a gemm, one of them with a helper, a norm and something else.
Trace step() {
  Trace trace;
  trace.ranges = {{"step", std::nullopt, 5},
                  {kGemm, 0, 2},
                  {"cublas", 1, 1},
                  {kGemm, 0, 1},
                  {"rms_norm dtype=bfloat16 num_tokens=8 hidden_size=4096", 0, 1},
                  {"gemm of somebody else", 0, 0}};
  trace.kernels = {{"nvjet", 10, 2}, {"reduce", 2, 1}, {"nvjet", 12, 3},
                   {"norm", 3, 4},   {"copy", 5, 5},   {"fill", 1, {}}};
  return trace;
}

Answer answer_of(const Case& what) {
  Answer answer;
  if (what.op->info.id != "gemm") {
    answer.miss_reason = "no table";
    return answer;
  }
  answer.source = AnswerSource::measured;
  answer.latency_ms = 0.006;
  answer.kernel_source = "cublaslt_matmul";
  return answer;
}

TEST(Alignment, GathersTheKernelsOfAnOpOverItsOccurrences) {
  const OpRegistry ops = all_ops();
  const Alignment a = align_trace(step(), ops, answer_of);
  ASSERT_EQ(a.ops.size(), 2u);
  EXPECT_EQ(a.ops[0].name, kGemm);
  EXPECT_EQ(a.ops[0].occurrences, 2u);
  EXPECT_DOUBLE_EQ(a.ops[0].trace_us(), 12);  // (10 + 2 + 12) / 2
  EXPECT_DOUBLE_EQ(a.ops[0].ratio().value(), 0.5);
  ASSERT_EQ(a.ops[0].kernels.size(), 2u);
  EXPECT_EQ(a.ops[0].kernels[0].launches, 2u);
  EXPECT_EQ(a.ops[1].ratio(), std::nullopt);
}

TEST(Alignment, NamesWhatDidNotMatch) {
  const OpRegistry ops = all_ops();
  const Alignment a = align_trace(step(), ops, answer_of);
  ASSERT_EQ(a.elsewhere.size(), 2u);  // a range that only begins like an op is none
  EXPECT_EQ(a.elsewhere[0].name, "copy");
  EXPECT_DOUBLE_EQ(a.kernel_us, 33);
  EXPECT_DOUBLE_EQ(a.op_us, 27);
  EXPECT_DOUBLE_EQ(a.answered_trace_us, 24);
  EXPECT_DOUBLE_EQ(a.answered_table_us, 12);
}

TEST(Alignment, TextAndJsonSayTheSame) {
  const OpRegistry ops = all_ops();
  const Alignment a = align_trace(step(), ops, answer_of);
  const std::string text = alignment_text(a);
  EXPECT_THAT(text, HasSubstr("table/trace 0.50  (measured, cublaslt_matmul)"));
  EXPECT_THAT(text, HasSubstr("no answer: no table"));
  EXPECT_THAT(text, HasSubstr("kernels: 33.0 us, 81.8 % of it in ops"));
  const auto parsed = nlohmann::json::parse(alignment_json(a));
  EXPECT_EQ(parsed["ops"][0]["ratio"], 0.5);
  EXPECT_EQ(parsed["ops"][1]["reason"], "no table");
}

TEST(Alignment, ACaseThatMakesNoSenseIsNotAsked) {
  const OpRegistry ops = all_ops();
  Trace trace;
  trace.ranges = {{"gemm gemm_dtype=bfloat16 m=0 n=1 k=1", std::nullopt, 1}};
  trace.kernels = {{"nvjet", 10, 0}};
  const Alignment a = align_trace(trace, ops, [](const Case&) -> Answer { throw std::logic_error("asked"); });
  EXPECT_EQ(a.ops[0].problem, "m, n and k must be positive");
}

}  // namespace
}  // namespace perfatlas
