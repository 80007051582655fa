// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/serving/result_text.h"
#include "perfatlas/serving/serving_cases_test.h"
#include "perfatlas/serving/timeline.h"
#include "perfatlas/serving/trace_file.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

template <class Run>
std::string complaint(Run run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

ServingQuestion question() {
  ServingQuestion q;
  q.prices = std::make_shared<PriceTables>(linear_prices());
  for (const auto& [name, value] :
       {std::pair{"users", "4"}, {"isl", "500"}, {"osl", "50"}, {"length_ratio", "0.8"}})
    apply_setting(q, name, value);
  return q;
}

TEST(Settings, AreAppliedByName) {
  ServingQuestion q = question();
  apply_setting(q, "engine", "sglang");
  apply_setting(q, "recv_interval", "10");
  apply_setting(q, "rate", "3.5");
  apply_setting(q, "requests", "77");
  EXPECT_EQ(q.engine, ServingEngine::sglang);
  EXPECT_EQ(std::get<PoissonArrivals>(q.workload.arrivals).requests, 77);
  const Prediction p = predict(q);
  EXPECT_EQ(p.result.requests, 77);
  EXPECT_THAT(p.given, testing::ElementsAre("recv_interval=10"));
  EXPECT_THAT(p.assumed, testing::Contains("kv_tokens=unlimited"));
}

TEST(Settings, GuessWhatWasMeant) {
  ServingQuestion q;
  EXPECT_THAT(complaint([&] { apply_setting(q, "token_buget", "1"); }),
              HasSubstr("did you mean token_budget?"));
  EXPECT_THAT(complaint([&] { apply_setting(q, "users", "many"); }), HasSubstr("users is 'many'"));
  EXPECT_THAT(complaint([&] { apply_setting(q, "engine", "vlm"); }), HasSubstr("known are vllm, sglang"));
  EXPECT_THAT(complaint([&] { apply_setting(q, "kv_tokens", "-5"); }), HasSubstr("cannot be negative"));
}

TEST(Settings, DisaggregatedCasesNameTheMissingWorkers) {
  ServingQuestion q = question();
  apply_setting(q, "prefill_workers", "2");
  EXPECT_THAT(complaint([&] { predict(q); }), HasSubstr("number of decode workers"));
  apply_setting(q, "decode_workers", "2");
  EXPECT_EQ(predict(q).result.requests, 40);
}

TEST(Settings, SizesBeyondWhatCanBeSimulatedAreRefused) {
  const auto refusal = [](std::vector<std::pair<const char*, const char*>> settings) {
    return complaint([&] {
      ServingQuestion q = question();
      for (const auto& [name, value] : settings) apply_setting(q, name, value);
      predict(q);
    });
  };
  EXPECT_EQ(refusal({{"users", "1000001"}}), "1000001 users are too many; give at most 1000000");
  EXPECT_EQ(refusal({{"waves", "1000001"}}), "1000001 waves are too many; give at most 1000000");
  EXPECT_EQ(refusal({{"isl", "9223372036854775807"}}),
            "input is 9223372036854775807; a request has at most 1000000000 tokens");
  EXPECT_EQ(refusal({{"rate", "1e-300"}}),
            "the arrival rate is 1e-300; give requests per second from 1e-06 to 1000000000");
  EXPECT_EQ(refusal({{"attention_dp", "1000001"}}), "attention_dp is 1000001; give at most 1000000 ranks");
  EXPECT_EQ(refusal({{"prefill_workers", "1000000000000"}, {"decode_workers", "1"}}),
            "1000000000000 prefill workers with attention_dp 1 are too many; give at most 1000000 ranks");
  EXPECT_EQ(refusal({{"engine", "llama_cpp"}, {"max_running", "257"}}),
            "max_running is 257; llama.cpp's server has at most 256 slots");
  EXPECT_EQ(refusal({{"seed", "-1"}}), "seed is -1; give 0 to 4294967295");
  EXPECT_EQ(refusal({{"seed", "4294967296"}}), "seed is 4294967296; give 0 to 4294967295");
}

TEST(TraceFile, ReadsBothFormatsAlike) {
  const TemporaryFolder folder;
  replace_file(folder / "a.jsonl",
               "{\"timestamp\": 0, \"input_length\": 10, \"output_length\": 2, \"hash_ids\": [1]}\n\n"
               "{\"timestamp\": 500, \"input_length\": 20, \"output_length\": 3, \"hash_ids\": []}\n");
  replace_file(folder / "a.csv", "output_length, timestamp, user, input_length\n2,0,x,10\n3,500,y,20\n");
  for (const char* name : {"a.jsonl", "a.csv"}) {
    const auto trace = open_trace(folder / name);
    const auto first = trace->next(), second = trace->next();
    ASSERT_TRUE(first && second) << name;
    EXPECT_EQ(first->input_tokens, 10);
    EXPECT_EQ(second->send_ms, 500);
    EXPECT_EQ(second->output_tokens, 3);
    EXPECT_FALSE(trace->next());
  }
}

TEST(TraceFile, NamesTheBadLine) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    replace_file(folder / "t", text);
    return complaint([&] {
      const auto trace = open_trace(folder / "t");
      while (trace->next()) {
      }
    });
  };
  const std::string good = "{\"timestamp\": 7, \"input_length\": 1, \"output_length\": 1}\n";
  EXPECT_EQ(message(good), "");
  EXPECT_THAT(message(good + "{\"timestamp\": 6, \"input_length\": 1, \"output_length\": 1}\n"),
              HasSubstr("line 2: timestamp 6 after 7"));
  EXPECT_THAT(message(good + "{\"timestamp\": 8, \"input_length\": 1}\n"),
              HasSubstr("line 2: output_length is missing"));
  EXPECT_THAT(message(good + "broken\n"), HasSubstr("line 2: not a JSON object"));
  EXPECT_THAT(message("timestamp,input_length\n"), HasSubstr("line 1: no column output_length"));
  EXPECT_THAT(message("timestamp,input_length,output_length\n1,0,3\n"),
              HasSubstr("line 2: input_length is 0; give a whole number from 1 to 1000000000"));
  EXPECT_THAT(message("timestamp,input_length,output_length\n1,1e30,3\n"),
              HasSubstr("line 2: input_length is 1e+30; give a whole number from 1 to 1000000000"));
  EXPECT_THAT(message("timestamp,input_length,output_length\n1,2\n"),
              HasSubstr("line 2: output_length is missing"));
  EXPECT_THAT(message(""), HasSubstr("no "));
  EXPECT_THAT(complaint([&] { open_trace(folder / ""); }), HasSubstr("folder"));
}

TEST(TraceFile, CountsTimeFromTheFirstRequest) {
  const TemporaryFolder folder;
  replace_file(
      folder / "t",
      "\xef\xbb\xbftimestamp,input_length,output_length\r\n1764000000000,5,1\r\n1764000000250,5,1\r\n");
  const auto trace = open_trace(folder / "t");
  EXPECT_EQ(trace->next()->send_ms, 0);
  EXPECT_EQ(trace->next()->send_ms, 250);
}

TEST(TraceFile, RefusesWhatIsNoTrace) {
  const TemporaryFolder folder;
  const auto first = [&](const std::string& text) {
    replace_file(folder / "t", text);
    return complaint([&] { open_trace(folder / "t")->next(); });
  };
  EXPECT_THAT(first("\x1f\x8b"), HasSubstr("is compressed; unpack it first"));
  EXPECT_THAT(first("timestamp,input_length,output_length\n\n\n"), HasSubstr("has no requests"));
  EXPECT_THAT(first("timestamp,input_length,output_length\n1e300,1,1\n"),
              HasSubstr("line 2: timestamp 1e+300"));
}

TEST(TraceFile, RefusesRequestsThatTheEngineDoesNotTake) {
  const TemporaryFolder folder;
  replace_file(folder / "t", "timestamp,input_length,output_length\n0,90,10\n1,91,10\n");
  EXPECT_TRUE(open_trace(folder / "t")->next());
  const auto trace = open_trace(folder / "t", 100);
  EXPECT_TRUE(trace->next());
  EXPECT_THAT(complaint([&] { trace->next(); }),
              HasSubstr("line 3: input_length 91 and output_length 10 are 101 tokens, the engine takes 100"));
}

TEST(Context, RefusesLengthsBeyondThatOfTheModelUnlessTheEngineTakesThem) {
  PriceTables prices = linear_prices();
  prices.max_seq_len = 1000;
  ServingQuestion question;
  question.prices = std::make_shared<PriceTables>(prices);
  question.workload.input.longest = 900;
  question.workload.output.longest = 100;
  EXPECT_EQ(complaint([&] { check_context(question); }), "");
  question.workload.output.longest = 101;
  EXPECT_THAT(complaint([&] { check_context(question); }),
              HasSubstr("isl 900 and osl 101 need 1001 tokens, the model's context has 1000"));
  apply_setting(question, "max_seq_len", "1001");
  EXPECT_EQ(complaint([&] { check_context(question); }), "");
  apply_setting(question, "max_seq_len", "999");
  EXPECT_THAT(complaint([&] { check_context(question); }), HasSubstr("max_seq_len is 999"));
  prices.max_seq_len.reset();
  question.max_seq_len.reset();
  question.prices = std::make_shared<PriceTables>(prices);
  EXPECT_EQ(complaint([&] { check_context(question); }), "");  // of an unknown model nothing is known
}

TEST(Timeline, IsAJsonArrayOfBarsAndCounters) {
  const TemporaryFolder folder;
  Timeline timeline(folder / "run.json");
  ServingQuestion q = question();
  const Prediction p = predict(q, {}, &timeline);
  timeline.close();
  const auto json = nlohmann::json::parse(read_file(folder / "run.json"));
  int64_t steps = 0;
  for (const auto& event : json)
    if (event.at("ph") == "X") steps += event.at("args").at("steps").get<int64_t>();
  EXPECT_EQ(steps, p.result.engine_steps);
}

TEST(ResultText, SaysDeficitInsteadOfLatenciesWhenSaturated) {
  ServingQuestion q = question();
  apply_setting(q, "max_running", "4");
  apply_setting(q, "rate", "500");
  apply_setting(q, "requests", "2000");
  const Prediction p = predict(q);
  EXPECT_THAT(prediction_text(p), HasSubstr("more than can be served"));
  EXPECT_THAT(prediction_text(p), testing::Not(HasSubstr("TTFT  ")));
  const auto json = nlohmann::json::parse(prediction_json(p));
  EXPECT_TRUE(json.at("ttft_ms").is_null());
  EXPECT_GT(json.at("saturation").at("deficit_per_s").get<double>(), 0);
}

}  // namespace
}  // namespace perfatlas
