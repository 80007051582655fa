// SPDX-License-Identifier: Apache-2.0
// The load client against a small server that streams as serving engines do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <set>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/load/fake_engine_test.h"
#include "perfatlas/load/load_run.h"
#include "perfatlas/load/stream_events.h"
#include "perfatlas/serving/arrivals.h"

namespace perfatlas {
namespace {

Workload closed_loop(int64_t users, int64_t requests) {
  return {
      .input = {20, 0.5}, .output = {8, 0.5}, .arrivals = ClosedLoop{.users = users, .requests = requests}};
}

TEST(Load, CountsEveryTokenOfEveryApi) {
  for (const LoadApi api : {LoadApi::completions, LoadApi::chat, LoadApi::llama_cpp}) {
    FakeEngine engine;
    const LoadResult result = run_load({.url = engine.url(), .api = api, .model = "m"}, closed_loop(3, 12));
    SCOPED_TRACE(name_of(api));
    EXPECT_EQ(result.failed, 0);
    ASSERT_EQ(result.requests.size(), 12u);
    std::set<int64_t> ids;
    for (const LoadedRequest& r : result.requests) {
      ids.insert(r.id);
      EXPECT_EQ(r.output_tokens, int64_t(r.token_ms.size()));
      EXPECT_GE(r.output_tokens, 4);
      EXPECT_LE(r.output_tokens, 8);
      EXPECT_LT(r.send_ms, r.first_ms);
      EXPECT_LE(r.first_ms, r.done_ms);
      EXPECT_TRUE(std::is_sorted(r.token_ms.begin(), r.token_ms.end()));
    }
    EXPECT_EQ(ids.size(), 12u);
    EXPECT_LE(engine.most_at_once(), 3);
    EXPECT_GT(result.tpot_ms.mean, 0);
  }
}

TEST(Load, NoRunRepeatsAPromptThatAPrefixCacheMayHold) {
  for (const LoadApi api : {LoadApi::completions, LoadApi::chat, LoadApi::llama_cpp}) {
    FakeEngine engine;
    for (int run = 0; run < 2; ++run)
      (void)run_load({.url = engine.url(), .api = api, .model = "m"}, closed_loop(2, 6));
    EXPECT_EQ(engine.different_prompts(), 12u) << name_of(api);
  }
}

TEST(Load, SendsOpenArrivalsAtTheirTimes) {
  FakeEngine engine;
  Workload workload = closed_loop(1, 1);
  workload.arrivals = PoissonArrivals{.requests_per_s = 200, .requests = 20};
  const LoadResult result = run_load({.url = engine.url(), .model = "m"}, workload);
  ASSERT_EQ(result.requests.size(), 20u);
  Arrivals planned(workload, {});
  for (const LoadedRequest& request : result.requests)
    EXPECT_GE(request.send_ms, planned.take().send_ms - 1e-3) << request.id;
  EXPECT_EQ(result.failed, 0);
}

std::string refusal(const LoadEndpoint& target, int64_t users = 1) {
  try {
    (void)run_load(target, closed_loop(users, users));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Load, NonsenseIsRefusedInOneLine) {
  for (const char* url : {"localhost", "http://", "http://:80", "127.0.0.1:8000"})
    EXPECT_EQ(refusal({.url = url}),
              "'" + std::string(url) + "' is no address; give one like http://127.0.0.1:8000");
  EXPECT_THAT(refusal({.url = "https://h"}), testing::HasSubstr("which has no TLS"));
  EXPECT_THAT(refusal({.url = "http://h:8000/v1"}), testing::HasSubstr("without a path"));
  for (const char* url : {"http://h:99999", "http://h:0", "http://h:x"})
    EXPECT_THAT(refusal({.url = url}), testing::HasSubstr("the port is from 1 to 65535"));
  const std::string url = "http://127.0.0.1:1";
  EXPECT_EQ(refusal({.url = url, .vocabulary = 1}), "a vocabulary of 1 tokens makes no prompts");
  EXPECT_THAT(refusal({.url = url, .timeout_s = 0}), testing::HasSubstr("give more than 0"));
  EXPECT_THAT(refusal({.url = url}, 5000), testing::HasSubstr("more than the 4096 connections"));
  EXPECT_EQ(refusal({.url = url}), url + ": cannot connect; does the server run there?");
}

TEST(Load, AServerThatDiesInTheMiddleFailsTheRestOfTheRun) {
  httplib::Server dying;
  std::atomic<int> answers{0};
  dying.Post("/v1/completions", [&](const auto&, auto& response) {
    const bool whole = ++answers == 1;
    response.set_chunked_content_provider("text/event-stream", [whole](size_t, httplib::DataSink& sink) {
      const std::string token = "data: {\"choices\":[{\"text\":\"x\"}]}\n\n";
      sink.write(token.data(), token.size());
      if (whole) sink.done();
      return whole;  // else the connection breaks off
    });
  });
  const int port = dying.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { dying.listen_after_bind(); });
  const LoadResult result = run_load({.url = "http://127.0.0.1:" + std::to_string(port)}, closed_loop(1, 4));
  dying.stop();
  thread.join();
  EXPECT_EQ(result.failed, 3);
  EXPECT_EQ(result.ttft_ms.count, 1) << "a request that broke off is no measurement";
  EXPECT_THAT(result.requests.back().error, testing::HasSubstr("the answer broke off"));
}

TEST(Load, GivesUpWithTheServersWordsWhenTheFirstRequestFails) {
  const LoadEndpoint nobody{.url = "http://127.0.0.1:1", .model = "m"};
  EXPECT_THROW(run_load(nobody, closed_loop(1, 2)), Error);
  httplib::Server refusing;
  refusing.Post("/v1/completions", [](const auto&, auto& response) {
    response.status = 400;
    response.set_content("the model is unknown", "text/plain");
  });
  const int port = refusing.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { refusing.listen_after_bind(); });
  try {
    run_load({.url = "http://127.0.0.1:" + std::to_string(port)}, closed_loop(1, 2));
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("status 400: the model is unknown"));
  }
  refusing.stop();
  thread.join();
}

TEST(StreamEvents, AreReadWhateverTheChunks) {
  const std::string stream =
      ": comment\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
      "data:{\"choices\":[{\"text\":\"\",\"token_ids\":[1,2,3]}]}\n\n"
      "data: {\"choices\":[],\"usage\":{\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";
  for (size_t size : {size_t(1), size_t(7), stream.size()}) {
    int64_t tokens = 0, counted = 0, last = 0;
    StreamEvents events([&](const StreamEvent& event) {
      tokens += event.tokens;
      counted = std::max(counted, event.completion_tokens);
      last += event.last;
    });
    for (size_t at = 0; at < stream.size(); at += size)
      events.feed(std::string_view(stream).substr(at, size));
    EXPECT_EQ(tokens, 4);
    EXPECT_EQ(counted, 4);
    EXPECT_EQ(last, 1);
  }
}

}  // namespace
}  // namespace perfatlas
