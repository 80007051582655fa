// SPDX-License-Identifier: Apache-2.0
// The hard tables, sketched against the schema: if one of these stops fitting, the schema is wrong, not the op.
// Shapes and columns: published tables of aiconfigurator.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "perfatlas/base/error.h"
#include "perfatlas/schema/derive.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {
namespace {

/// A distribution comes from data; sizes per expert shard follow from recorded parallelism.
struct SketchMoe {
  Quant dtype = Quant::bf16;
  int64_t tokens = 1;
  int64_t hidden = 4096;
  int64_t inter = 14336;
  int64_t topk = 2;
  int64_t experts = 8;
  int64_t tp = 1;
  int64_t ep = 1;
  Symbol distribution{};
  bool operator==(const SketchMoe&) const = default;

  static constexpr OpInfo info{.id = "moe", .table = "moe_perf", .op_name = "moe", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{
      field("moe_dtype", &SketchMoe::dtype, Role::exact, "dtype").flagged("dtype"),
      field("num_tokens", &SketchMoe::tokens, Role::axis, "tokens before routing").flagged("tokens"),
      field("hidden_size", &SketchMoe::hidden, Role::exact, "hidden"),
      field("inter_size", &SketchMoe::inter, Role::exact, "inner"),
      field("topk", &SketchMoe::topk, Role::exact, "experts per token"),
      field("num_experts", &SketchMoe::experts, Role::exact, "experts"),
      field("moe_tp_size", &SketchMoe::tp, Role::exact, "tensor parallel ranks of an expert"),
      field("moe_ep_size", &SketchMoe::ep, Role::exact, "ranks that share the experts"),
      field("distribution", &SketchMoe::distribution, Role::exact, "of tokens over experts"),
  };
  static constexpr auto axes = std::array{axis<&SketchMoe::tokens, SketchMoe>("tokens")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const {
    if (tokens < 1 || tp < 1 || ep < 1) return "sizes must be positive";
    return experts % ep != 0 ? "ep must divide experts" : "";
  }
  Work work() const {
    return {.flops = 6.0 * double(tokens * topk) / double(ep) * double(hidden) * double(inter) / double(tp)};
  }
};
static_assert(Operation<SketchMoe>);

/// Directions live in the op_name column; the ranks are a key, the message is counted in elements.
struct SketchAllReduce {
  DType dtype = DType::f16;
  Symbol direction{};
  int64_t ranks = 2;
  int64_t elements = 1;
  Symbol implementation{};
  bool operator==(const SketchAllReduce&) const = default;

  static constexpr OpInfo info{.id = "nccl", .table = "nccl_perf", .op_name = "", .doc = "d", .sol = "s"};
  static constexpr auto fields = std::tuple{
      field("op_name", &SketchAllReduce::direction, Role::exact, "collective"),
      field("nccl_dtype", &SketchAllReduce::dtype, Role::exact, "dtype").flagged("dtype"),
      field("num_gpus", &SketchAllReduce::ranks, Role::exact, "ranks"),
      field("message_size", &SketchAllReduce::elements, Role::axis, "elements, not bytes"),
      field("implementation", &SketchAllReduce::implementation, Role::recorded, "who ran it"),
  };
  static constexpr auto axes = std::array{axis<&SketchAllReduce::elements, SketchAllReduce>("elements")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return ranks < 2 ? "a collective needs two ranks" : ""; }
  Work work() const { return {.activation_bytes_read = double(elements) * bytes_of(dtype)}; }
};
static_assert(Operation<SketchAllReduce>);

enum class SketchPhase { context, generation };

/// One op made of sub-kernels, each a row of its own told apart by kernel_source; which ones belong to a case depends
/// on the phase.
struct SketchMamba2 {
  Symbol kernel{};
  SketchPhase phase = SketchPhase::context;
  int64_t batch = 1;
  int64_t seq = 1;
  int64_t tokens = 1;
  int64_t heads = 64;
  Symbol model{};
  bool operator==(const SketchMamba2&) const = default;

  static constexpr std::string_view kKernels[] = {"causal_conv1d_fn", "mamba_chunk_scan_combined",
                                                  "causal_conv1d_update", "selective_state_update"};
  static constexpr OpInfo info{.id = "mamba2",
                               .table = "mamba2_perf",
                               .op_name = "mamba2",
                               .doc = "d",
                               .sol = "s",
                               .sub_kernels = kKernels,
                               .sub_kernel_column = "kernel_source"};
  static void set_batch(SketchMamba2& op, int64_t batch) {
    op.batch = batch;
    op.tokens = op.batch * op.seq;
  }
  static void set_seq(SketchMamba2& op, int64_t seq) {
    op.seq = seq;
    op.tokens = op.batch * op.seq;
  }
  static int64_t get_batch(const SketchMamba2& op) { return op.batch; }
  static int64_t get_seq(const SketchMamba2& op) { return op.seq; }

  static constexpr auto fields = std::tuple{
      field("kernel_source", &SketchMamba2::kernel, Role::exact, "sub-kernel"),
      field("phase", &SketchMamba2::phase, Role::exact, "context or generation"),
      field("batch_size", &SketchMamba2::batch, Role::axis, "sequences"),
      field("seq_len", &SketchMamba2::seq, Role::axis, "tokens per sequence"),
      field("num_tokens", &SketchMamba2::tokens, Role::recorded, "batch times seq"),
      field("nheads", &SketchMamba2::heads, Role::exact, "heads"),
      field("model_name", &SketchMamba2::model, Role::recorded, "whose shape it is"),
  };
  static constexpr auto axes =
      std::array{Axis<SketchMamba2>{"batch", &SketchMamba2::get_batch, &SketchMamba2::set_batch},
                 Axis<SketchMamba2>{"seq", &SketchMamba2::get_seq, &SketchMamba2::set_seq}};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const {
    return tokens != batch * seq ? "num_tokens must be batch_size * seq_len" : "";
  }
  Work work() const { return {.activation_bytes_read = double(tokens * heads)}; }
};

/// Imported only: no operands, no grid, several measured columns in microseconds of which some are not latencies.
struct SketchDeepEp {
  int64_t nodes = 1;
  int64_t hidden = 7168;
  int64_t tokens = 1;
  int64_t topk = 8;
  int64_t experts = 256;
  int64_t dispatch_sms = 20;
  bool operator==(const SketchDeepEp&) const = default;

  static constexpr MeasuredColumn kMeasured[] = {{"dispatch_transmit_us", "us", 1e-3},
                                                 {"dispatch_notify_us", "us", 1e-3},
                                                 {"combine_sms", "", 0},
                                                 {"combine_transmit_us", "us", 1e-3},
                                                 {"combine_notify_us", "us", 1e-3}};
  static constexpr OpInfo info{.id = "deepep_normal",
                               .table = "wideep_deepep_normal_perf",
                               .op_name = "normal",
                               .doc = "d",
                               .sol = "s",
                               .measured = kMeasured};
  static constexpr auto fields = std::tuple{
      field("node_num", &SketchDeepEp::nodes, Role::exact, "nodes"),
      field("hidden_size", &SketchDeepEp::hidden, Role::exact, "hidden"),
      field("num_token", &SketchDeepEp::tokens, Role::axis, "tokens"),
      field("num_topk", &SketchDeepEp::topk, Role::exact, "experts per token"),
      field("num_experts", &SketchDeepEp::experts, Role::exact, "experts"),
      field("dispatch_sms", &SketchDeepEp::dispatch_sms, Role::axis, "multiprocessors used"),
  };
  static constexpr auto axes = std::array{axis<&SketchDeepEp::dispatch_sms, SketchDeepEp>("sms"),
                                          axis<&SketchDeepEp::tokens, SketchDeepEp>("tokens")};
  static constexpr TableLayout layout{};
  std::string_view why_invalid() const { return tokens < 1 ? "num_token must be positive" : ""; }
  Work work() const { return {.activation_bytes_read = double(tokens * topk * hidden)}; }
};

}  // namespace

template <>
inline constexpr auto kEnumNames<SketchPhase> =
    std::array{EnumName<SketchPhase>{SketchPhase::context, "context"},
               EnumName<SketchPhase>{SketchPhase::generation, "generation"}};
static_assert(Operation<SketchMamba2>);
static_assert(Operation<SketchDeepEp>);

namespace {

template <class Op>
void expect_round_trip(const Op& op) {
  const OpType type = make_op_type<Op>();
  const Case c = make_case(type, op);
  EXPECT_EQ(parse_fields(type, fields_text(c)), c) << fields_text(c);
  EXPECT_EQ(decode<Op>(c.values), op);
  EXPECT_EQ(type.why_invalid(c.values), "");
}

std::vector<std::string> columns_of(const OpType& type) {
  std::vector<std::string> columns;
  for (const FieldType& field : type.fields) columns.emplace_back(field.column);
  for (const MeasuredColumn& column : type.info.measured) columns.emplace_back(column.name);
  return columns;
}

const SketchMoe kMoe{
    .dtype = Quant::fp8, .tokens = 1, .hidden = 3072, .inter = 1024, .topk = 8, .experts = 256};

TEST(SchemaSketch, EveryHardTableReadsBackItsText) {
  SketchMoe moe = kMoe;
  moe.tp = moe.ep = 16;
  moe.distribution = Symbol("power_law_1.01");
  expect_round_trip(moe);
  expect_round_trip(SketchAllReduce{
      .direction = Symbol("all_reduce"), .ranks = 4, .elements = 262144, .implementation = Symbol("trtllm")});
  expect_round_trip(SketchMamba2{.kernel = Symbol("causal_conv1d_fn"),
                                 .batch = 16,
                                 .seq = 2048,
                                 .tokens = 32768,
                                 .model = Symbol("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")});
  expect_round_trip(SketchDeepEp{.nodes = 1, .hidden = 2048, .tokens = 1, .topk = 8, .experts = 128});
}

TEST(SchemaSketch, EmptySymbolsReadBack) { expect_round_trip(kMoe); }

TEST(SchemaSketch, MoeDistributionsAreSlicesOfTheirOwn) {
  const OpType type = make_op_type<SketchMoe>();
  SketchMoe balanced = kMoe, skewed = kMoe;
  balanced.distribution = Symbol("balanced");
  skewed.distribution = Symbol("power_law_1.2");
  EXPECT_NE(type.slice_of(encode(balanced)), type.slice_of(encode(skewed)));
  EXPECT_NE(case_id(make_case(type, balanced)), case_id(make_case(type, skewed)));
  skewed = balanced;
  skewed.tokens = 4096;
  EXPECT_EQ(type.slice_of(encode(balanced)), type.slice_of(encode(skewed)));
}

TEST(SchemaSketch, CollectivesOfOneTableAreToldApartByOpName) {
  const OpType type = make_op_type<SketchAllReduce>();
  const SketchAllReduce reduce{.direction = Symbol("all_reduce")}, gather{.direction = Symbol("all_gather")};
  EXPECT_NE(type.slice_of(encode(reduce)), type.slice_of(encode(gather)));
  SketchAllReduce other = reduce;
  other.implementation = Symbol("vllm_graph");
  EXPECT_EQ(type.slice_of(encode(reduce)), type.slice_of(encode(other)));  // recorded, not looked at
  EXPECT_NE(case_id(make_case(type, reduce)), case_id(make_case(type, other)));
}

TEST(SchemaSketch, MambaMissesASubKernelThatWasNotCollected) {
  const OpType type = make_op_type<SketchMamba2>();
  const auto column = type.find_field(type.info.sub_kernel_column);
  ASSERT_TRUE(column.has_value());
  std::map<std::string, int> rows;
  for (const std::string_view kernel :
       {"causal_conv1d_fn", "mamba_chunk_scan_combined", "causal_conv1d_update"})
    ++rows[type.fields[*column].format(encode(SketchMamba2{.kernel = Symbol(kernel)})[*column])];
  std::vector<std::string> missing;
  for (const std::string_view kernel : type.info.sub_kernels)
    if (!rows.contains(std::string(kernel))) missing.emplace_back(kernel);
  EXPECT_THAT(missing, testing::ElementsAre("selective_state_update"));
}

TEST(SchemaSketch, MambaAxesKeepTheDerivedTokenCount) {
  const OpType type = make_op_type<SketchMamba2>();
  FieldValues values = encode(SketchMamba2{.batch = 2, .seq = 8, .tokens = 16});
  type.axes[1].set(values, 32);
  EXPECT_EQ(decode<SketchMamba2>(values).tokens, 64);
  EXPECT_EQ(type.why_invalid(values), "");
}

TEST(SchemaSketch, DeepEpIsImportedOnlyAndSumsMicroseconds) {
  const OpType type = make_op_type<SketchDeepEp>();
  EXPECT_FALSE(type.measurable());
  EXPECT_EQ(type.aic_cases, nullptr);
  const double row[] = {27.35, 0, 4, 29.62, 0};
  double latency_ms = 0;
  for (size_t i = 0; i < std::size(row); ++i) latency_ms += row[i] * type.info.measured[i].to_ms;
  EXPECT_NEAR(latency_ms, 0.05697, 1e-9);
}

TEST(SchemaSketch, ColumnsAreThoseOfPublishedTables) {
  EXPECT_THAT(columns_of(make_op_type<SketchMoe>()),
              testing::ElementsAre("moe_dtype", "num_tokens", "hidden_size", "inter_size", "topk",
                                   "num_experts", "moe_tp_size", "moe_ep_size", "distribution", "latency"));
  EXPECT_THAT(columns_of(make_op_type<SketchDeepEp>()),
              testing::ElementsAre("node_num", "hidden_size", "num_token", "num_topk", "num_experts",
                                   "dispatch_sms", "dispatch_transmit_us", "dispatch_notify_us",
                                   "combine_sms", "combine_transmit_us", "combine_notify_us"));
}

TEST(SchemaSketch, SymbolsThatWouldNotSurviveACellAreRefused) {
  const OpType type = make_op_type<SketchMoe>();
  Case c = make_case(type, kMoe);
  for (const char* bad : {"power law", "a,b", "quo\"te", "line\n"})
    EXPECT_THROW(set_field(c, "distribution", bad), UsageError) << bad;
}

}  // namespace
}  // namespace perfatlas
