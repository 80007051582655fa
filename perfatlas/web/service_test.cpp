// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/serving_cases_test.h"
#include "perfatlas/web/http_server.h"
#include "perfatlas/web/step_batch.h"

namespace perfatlas {
namespace {

using nlohmann::json;
using testing::HasSubstr;

ServiceData data() {
  ServiceData data;
  data.prices["linear"] = std::make_shared<PriceTables>(linear_prices());
  return data;
}

json post(Service& service, const char* path, const std::string& body, int status = 200) {
  const Reply reply = service.answer("POST", path, body);
  EXPECT_EQ(reply.status, status) << reply.body;
  return json::parse(reply.body);
}

TEST(Service, PricesOneStepAndMany) {
  Service service(data());
  const PriceTables prices = linear_prices();
  const double one =
      post(service, "/v1/step", R"({"batch": [[1, 100], [1, 300], [64, 0], [200, 64]]})").at("ms");
  const Chunk chunk{200, 64};
  EXPECT_DOUBLE_EQ(one, step_ms(prices, {.new_tokens = 264,
                                         .whole_prompts = 1,
                                         .whole_tokens = 64,
                                         .chunks = {&chunk, 1},
                                         .decodes = 2,
                                         .mean_kv_tokens = 201}));
  const json many =
      post(service, "/v1/step", R"({"prices": "linear", "batches": [[[1, 100]], [[1, 100], [1, 100]]]})");
  EXPECT_DOUBLE_EQ(many.at("ms").at(0), prices.decode.at(1, 101));
  EXPECT_DOUBLE_EQ(many.at("ms").at(1), prices.decode.at(2, 101));
}

TEST(Service, SimulatesACase) {
  Service service(data());
  const json answer =
      post(service, "/v1/simulate", R"({"engine": "sglang", "users": 4, "isl": 500, "osl": 20})");
  EXPECT_EQ(answer.at("requests"), 40);
  EXPECT_GT(answer.at("ttft_ms").at("p90").get<double>(), 40);
}

TEST(Service, ComplainsInOneLineOfJson) {
  Service service(data());
  const auto complaint = [&](const char* path, const char* body, int status = 400) {
    const std::string text = post(service, path, body, status).at("error");
    EXPECT_EQ(text.find('\n'), std::string::npos);
    return text;
  };
  EXPECT_THAT(complaint("/v1/step", "{"), HasSubstr("JSON object"));
  EXPECT_THAT(complaint("/v1/step", R"({"batch": []})"), HasSubstr("not empty"));
  EXPECT_THAT(complaint("/v1/step", R"({"batch": [[0, 5]]})"), HasSubstr("at least 1"));
  EXPECT_THAT(complaint("/v1/step", R"({"batch": [[1.5, 5]]})"), HasSubstr("whole numbers"));
  EXPECT_THAT(complaint("/v1/step", R"({"prices": "b", "batch": [[1, 5]]})"), HasSubstr("known are linear"));
  EXPECT_THAT(complaint("/v1/simulate", R"({"users": 0, "isl": 9, "osl": 9})"), HasSubstr("0 users"));
  EXPECT_THAT(complaint("/v1/simulate", R"({"rate": 1, "isl": 9, "osl": 9, "wave": 2})"),
              HasSubstr("did you mean waves?"));
  EXPECT_THAT(complaint("/v1/simulate", R"({"isl": 9, "osl": 9})"), HasSubstr("users or rate"));
  EXPECT_THAT(complaint("/v1/simulate", R"({"users": 2, "isl": 9})"), HasSubstr("isl and osl"));
  EXPECT_THAT(complaint("/v1/estimate", "{}", 404), HasSubstr("--systems-path"));
  EXPECT_THAT(complaint("/v1/query", "{}", 404), HasSubstr("--data"));
  EXPECT_THAT(complaint("/v2/step", "{}", 404), HasSubstr("openapi"));
  EXPECT_EQ(service.answer("GET", "/v1/step", "").status, 405);
}

TEST(Service, DescribesItself) {
  Service service(data());
  const json document = json::parse(service.answer("GET", "/openapi.json", "").body);
  EXPECT_TRUE(document.at("paths").contains("/v1/simulate"));
  EXPECT_TRUE(document.at("paths").at("/v1/simulate").dump().find("token_budget") != std::string::npos);
}

TEST(HttpServer, APortInUseIsRefused) {
  Service service(data());
  HttpServer first(service, {}), second(service, {});
  const int port = first.bind("127.0.0.1", 0);
  EXPECT_THROW(second.bind("127.0.0.1", port), Error);
}

TEST(HttpServer, AnswersOverASocketWithinItsLimits) {
  Service service(data());
  HttpServer server(service, {.body_bytes = 1000, .threads = 2});
  const int port = server.bind("127.0.0.1", 0);
  std::thread thread([&] { server.run(); });
  {  // connections end before the server is told to: it would wait for idle ones
    httplib::Client client("127.0.0.1", port);
    client.set_keep_alive(true);
    for (int i = 0; i < 3; ++i) {
      const auto reply = client.Post("/v1/step", R"({"batch": [[1, 100]]})", "application/json");
      ASSERT_TRUE(reply);
      EXPECT_EQ(reply->status, 200) << reply->body;
    }
    const auto large = client.Post("/v1/step", std::string(2000, ' '), "application/json");
    ASSERT_TRUE(large);
    EXPECT_EQ(large->status, 413);
    EXPECT_THAT(large->body, HasSubstr("too large"));
    const auto metrics = httplib::Client("127.0.0.1", port).Get("/metrics");
    ASSERT_TRUE(metrics);
    EXPECT_THAT(metrics->body, HasSubstr("perfatlas_requests_total{path=\"/v1/step\",status=\"2xx\"} 3"));
    EXPECT_THAT(metrics->body, HasSubstr("perfatlas_steps_total 3"));
  }
  server.stop();
  thread.join();
}

}  // namespace
}  // namespace perfatlas
