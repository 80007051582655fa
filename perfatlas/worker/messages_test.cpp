// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/messages.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <functional>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// Any finite double, sign included: what a line must carry without loss.
rc::Gen<double> finite() {
  return rc::gen::map(rc::gen::pair(rc::gen::arbitrary<int64_t>(), rc::gen::inRange(-60, 60)),
                      [](const std::pair<int64_t, int>& p) { return std::ldexp(double(p.first), p.second); });
}

rc::Gen<double> positive() {
  return rc::gen::map(finite(), [](double x) { return std::fabs(x); });
}

std::string text() { return *rc::gen::string<std::string>(); }

/// Text that JSON can carry exactly: control characters yes, invalid UTF-8 no.
std::string ascii() {
  return *rc::gen::container<std::string>(
      rc::gen::map(rc::gen::inRange(0, 128), [](int c) { return char(c); }));
}

std::optional<double> maybe(const rc::Gen<double>& gen) {
  return *rc::gen::arbitrary<bool>() ? std::optional<double>(*gen) : std::nullopt;
}

SensorReading sensors() {
  SensorReading reading{maybe(positive()), maybe(finite()),   maybe(positive()),
                        maybe(positive()), maybe(positive()), {}};
  if (*rc::gen::arbitrary<bool>()) reading.throttle = ascii();
  return reading;
}

OperandOffer any_offer() {
  OperandOffer offer;
  for (int i = *rc::gen::inRange(0, 3); i > 0; --i)
    offer.operands.push_back({ascii(),
                              *rc::gen::element(OperandRole::weight, OperandRole::kv),
                              *rc::gen::element(DType::bf16, DType::fp4, DType::int32),
                              {*rc::gen::inRange(0, 1 << 20), 7},
                              *rc::gen::element(Fill::small, Fill::custom),
                              *rc::gen::arbitrary<bool>(),
                              ascii()});
  if (!offer.operands.empty()) offer.streamed_bytes = *positive();
  return offer;
}

Request any_request() {
  const KernelSelector what{ascii(), ascii(), ascii(), *rc::gen::arbitrary<uint64_t>(), any_offer()};
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return HelloRequest{*rc::gen::inRange(1, 1000)};
    case 1:
      return ProbeRequest{*positive()};
    case 2:
      return CheckRequest{what};
    case 3:
      return KernelsRequest{ascii(), any_offer()};
    case 4:
      return LaunchRequest{what};
    case 5:
      return StepRequest{{ascii(), ascii()},
                         {0, 1, 1},
                         ascii(),
                         *rc::gen::arbitrary<uint64_t>(),
                         *rc::gen::inRange(0, 9),
                         *rc::gen::inRange(1, 99),
                         *positive(),
                         *rc::gen::arbitrary<bool>()};
    default:
      return SampleRequest{what,
                           *rc::gen::element(CacheState::serving, CacheState::hot, CacheState::cold),
                           *rc::gen::inRange(0, 100),
                           *rc::gen::inRange(1, 100),
                           *positive(),
                           *positive(),
                           *rc::gen::arbitrary<bool>(),
                           *rc::gen::arbitrary<bool>()};
  }
}

Samples any_samples() {
  Samples samples;
  samples.latency_ms = *rc::gen::container<std::vector<double>>(finite());
  samples.launches_per_sample = *rc::gen::inRange(1, 1 << 30);
  samples.bytes_touched = *positive();
  samples.cache = *rc::gen::element(CacheState::serving, CacheState::hot, CacheState::cold);
  samples.launch = *rc::gen::element(LaunchMode::graph, LaunchMode::eager, LaunchMode::direct);
  samples.launch_note = ascii();
  samples.before = sensors();
  samples.after = sensors();
  return samples;
}

WorkerAnswer any_answer() {
  switch (*rc::gen::inRange(0, 9)) {
    case 0: {
      HelloAnswer hello;
      hello.wants_operands = *rc::gen::arbitrary<bool>();
      hello.worker = ascii();
      hello.device = {ascii(), ascii(), *positive(), *positive(), {{ascii(), ascii()}}};
      hello.backends = {{ascii(), ascii()}};
      hello.kernels = {{ascii(), ascii(), ascii()}};
      return hello;
    }
    case 1: {
      ProbeAnswer probe;
      if (*rc::gen::arbitrary<bool>()) probe.memory_bandwidth = {*positive(), *positive()};
      if (*rc::gen::arbitrary<bool>()) probe.llc_bandwidth = {*positive(), *positive()};
      probe.flops[*rc::gen::element(DType::f32, DType::bf16, DType::int8)] = {*positive(), *positive()};
      return probe;
    }
    case 2:
      return CheckAnswer{ascii(),
                         {{ascii(), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>(), ascii()}}};
    case 3:
      return SampleAnswer{ascii(), any_samples()};
    case 4:
      return SkippedAnswer{ascii()};
    case 5:
      return KernelsAnswer{{{ascii(), ascii(), ascii()}}};
    case 6:
      return StepAnswer{{ascii(), ascii()}, {*finite()},       {{*finite(), *finite()}, {}},
                        *positive(),        LaunchMode::graph, ascii()};
    case 7:
      return LaunchAnswer{ascii(), {ascii(), ascii()}};
    default:
      return FailedAnswer{ascii()};
  }
}

int64_t any_id() {
  return *rc::gen::map(rc::gen::arbitrary<int64_t>(), [](int64_t x) { return x & INT64_MAX; });
}

/// Messages are compared by their lines: a line names every field, so equal lines mean equal messages.
TEST(Messages, RequestsSurviveTheLine) {
  ASSERT_TRUE(rc::check([] {
    const int64_t id = any_id();
    const std::string line = format_request(id, any_request());
    RC_ASSERT(line.find('\n') == line.npos);
    const NumberedRequest back = parse_request(line);
    RC_ASSERT(back.id == id);
    RC_ASSERT(format_request(back.id, back.request) == line);
  }));
}

TEST(Messages, AnswersSurviveTheLine) {
  ASSERT_TRUE(rc::check([] {
    const int64_t id = any_id();
    const std::string line = format_answer(id, any_answer());
    RC_ASSERT(line.find('\n') == line.npos);
    const NumberedAnswer back = parse_answer(line);
    RC_ASSERT(back.id == id);
    RC_ASSERT(format_answer(back.id, back.answer) == line);
  }));
}

TEST(Messages, EveryFieldOfASampleArrives) {
  Samples samples;
  samples.latency_ms = {0.1, 1e-300, 12.5};
  samples.launches_per_sample = 7;
  samples.bytes_touched = 629145600;
  samples.cache = CacheState::cold;
  samples.launch = LaunchMode::eager;
  samples.launch_note = "capture failed: \"x\"\n";
  samples.before.energy_mj = 5;
  samples.after.throttle = "";
  const NumberedAnswer back = parse_answer(format_answer(9, SampleAnswer{"onednn_matmul", samples}));
  const auto& answer = std::get<SampleAnswer>(back.answer);
  EXPECT_EQ(back.id, 9);
  EXPECT_EQ(answer.kernel_source, "onednn_matmul");
  EXPECT_EQ(answer.samples.latency_ms, samples.latency_ms);
  EXPECT_EQ(answer.samples.launches_per_sample, 7);
  EXPECT_EQ(answer.samples.bytes_touched, 629145600);
  EXPECT_EQ(answer.samples.cache, CacheState::cold);
  EXPECT_EQ(answer.samples.launch, LaunchMode::eager);
  EXPECT_EQ(answer.samples.launch_note, samples.launch_note);
  EXPECT_EQ(answer.samples.before.energy_mj, 5);
  EXPECT_EQ(answer.samples.before.clock_mhz, std::nullopt);
  EXPECT_EQ(answer.samples.after.throttle, "");
}

TEST(Messages, AnErrorTextThatIsNotUtf8CanBeSent) {
  const std::string line = format_answer(1, FailedAnswer{"bad \xff byte"});
  EXPECT_NO_THROW(parse_answer(line));
}

TEST(Messages, AShortHandWrittenRequestTakesTheDocumentedDefaults) {
  const auto request =
      std::get<SampleRequest>(parse_request(R"({"id":3,"request":"sample","case":"gemm m=1"})").request);
  EXPECT_EQ(request.what.case_text, "gemm m=1");
  EXPECT_EQ(request.cache, CacheState::serving);
  EXPECT_EQ(request.repetitions, SampleRequest{}.repetitions);
}

TEST(Messages, EveryFieldOfAnOfferedOperandArrives) {
  const OfferedOperand sent{
      "page_table", OperandRole::activation, DType::int32, {8, 33}, Fill::page_table, true, "/t/o"};
  const std::string line = format_request(1, LaunchRequest{{"gemm m=1", "b", "k", 2, {{sent}, 12.5}}});
  const auto request = std::get<LaunchRequest>(parse_request(line).request);
  ASSERT_EQ(request.what.offer.operands.size(), 1u);
  const OfferedOperand& operand = request.what.offer.operands[0];
  EXPECT_EQ(operand.name, sent.name);
  EXPECT_EQ(operand.role, sent.role);
  EXPECT_EQ(operand.dtype, sent.dtype);
  EXPECT_EQ(operand.shape, sent.shape);
  EXPECT_EQ(operand.fill, sent.fill);
  EXPECT_EQ(operand.written, sent.written);
  EXPECT_EQ(operand.content, sent.content);
  EXPECT_EQ(request.what.offer.streamed_bytes, 12.5);
}

std::string complaint(std::string_view line) {
  try {
    parse_request(line);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Messages, EachMalformedRequestIsNamed) {
  EXPECT_EQ(complaint(""), "protocol line is not one JSON object: ''");
  EXPECT_EQ(complaint("hello"), "protocol line is not one JSON object: 'hello'");
  EXPECT_EQ(complaint("[]"), "request: expected a JSON object");
  EXPECT_EQ(complaint("{}"), "request: 'id' is missing");
  EXPECT_EQ(complaint(R"({"id":-1,"request":"hello"})"),
            "request: 'id' must be an integer from 0 to 9223372036854775807");
  EXPECT_EQ(complaint(R"({"id":18446744073709551615,"request":"hello"})"),
            "request: 'id' must be an integer from 0 to 9223372036854775807");
  EXPECT_EQ(complaint(R"({"id":1})"), "request: 'request' is missing");
  EXPECT_EQ(complaint(R"({"id":1,"request":"dance"})"),
            "request: 'request' must be hello, probe, kernels, check, launch, sample or step");
  EXPECT_EQ(complaint(R"({"id":1,"request":"probe","budget_s":"long"})"),
            "request: 'budget_s' must be a finite number");
  EXPECT_EQ(complaint(R"({"id":1,"request":"probe","budget_s":-1})"),
            "request: 'budget_s' must be at least 0");
  EXPECT_EQ(complaint(R"({"id":1,"request":"sample"})"), "request: 'case' is missing");
  EXPECT_EQ(complaint(R"({"id":1,"request":"sample","case":"g","cache":"warm"})"),
            "request: 'cache' must be serving, hot or cold");
  EXPECT_EQ(complaint(R"({"id":1,"request":"sample","case":"g","repetitions":0})"),
            "request: 'repetitions' must be an integer from 1 to 1000000");
  EXPECT_EQ(complaint(R"({"id":1,"request":"sample","case":"g","repetition":5})"),
            "request: unknown key 'repetition'");
  EXPECT_EQ(complaint(R"({"id":1,"request":"sample","case":"g","seed":-5})"),
            "request: 'seed' must be a non-negative integer");
}

TEST(Messages, AMalformedOperandIsNamed) {
  const auto refusal = [](const std::string& member) {
    return complaint(R"({"id":1,"request":"launch","case":"x","streamed_bytes":1,"operands":[{"name":"a",)" +
                     member + R"("role":"kv","dtype":"int8","fill":"small","written":true}]})");
  };
  EXPECT_EQ(refusal(R"("shape":[1],)"), "accepted");
  EXPECT_EQ(refusal(R"("shape":[-1],)"), "offered operand: 'shape' must be an array of sizes");
  EXPECT_EQ(refusal(R"("shape":[1],"size":1,)"), "offered operand: unknown key 'size'");
  EXPECT_EQ(complaint(R"({"id":1,"request":"kernels","case":"x","operands":[{"name":"a","role":"cat"}]})"),
            "offered operand: 'role' must be weight, kv, activation or output");
}

TEST(Messages, AStepWhoseOrderNamesNoCaseIsRefused) {
  const auto refusal = [](const std::string& order) {
    return complaint(R"({"id":1,"request":"step","cases":["gemm m=1"],"order":)" + order + "}");
  };
  EXPECT_EQ(refusal("[0,0]"), "accepted");
  EXPECT_EQ(refusal("[1]"), "request: 'order' must be an array of indices into cases");
  EXPECT_EQ(refusal("[-1]"), "request: 'order' must be an array of indices into cases");
  EXPECT_EQ(refusal("[]"), "request: 'order' must be an array with at least one index");
}

TEST(Messages, NumbersThatAreNotFiniteAreRefused) {
  EXPECT_THROW(parse_request(R"({"id":1,"request":"probe","budget_s":1e999})"), Error);
  EXPECT_THROW(parse_request(R"({"id":1,"request":"probe","budget_s":NaN})"), Error);
  EXPECT_THROW(
      parse_answer(format_answer(1, SampleAnswer{"k", Samples{{0.0 / 0.0}, 1, 0, {}, {}, {}, {}, {}}})),
      Error);
}

/// Cuts, flips and insertions anywhere in a good line: an Error or a message, never anything else.
TEST(Messages, NoLineCrashesTheReader) {
  const auto damaged = [](std::string line) {
    const int edits = *rc::gen::inRange(1, 4);
    for (int i = 0; i < edits && !line.empty(); ++i) {
      const auto at = *rc::gen::inRange<size_t>(0, line.size());
      switch (*rc::gen::inRange(0, 3)) {
        case 0:
          line.resize(at);
          break;
        case 1:
          line[at] = char(*rc::gen::inRange(0, 256));
          break;
        default:
          line.insert(at, text());
      }
    }
    return line;
  };
  ASSERT_TRUE(rc::check([&] {
    const std::string request = damaged(format_request(1, any_request()));
    const std::string answer = damaged(format_answer(1, any_answer()));
    for (const auto& parse : {std::function<void()>([&] { parse_request(request); }),
                              std::function<void()>([&] { parse_answer(answer); })}) {
      try {
        parse();
      } catch (const Error& error) {
        RC_ASSERT(std::string_view(error.what()).size() > 0);
      }
    }
  }));
}

TEST(Messages, DeepNestingIsAnErrorNotAStackOverflow) {
  EXPECT_THROW(parse_request(std::string(1'000'000, '[')), Error);
  EXPECT_THROW(parse_request(std::string(200'000, '[') + std::string(200'000, ']')), Error);
}

}  // namespace
}  // namespace perfatlas
