// SPDX-License-Identifier: Apache-2.0
// verify --serving against a small engine that streams at a known pace, with tables of a toy machine.
#include "perfatlas/cli/serving_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/load/fake_engine_test.h"
#include "perfatlas/pricing/toy_machine_test.h"

namespace perfatlas {
namespace {

using nlohmann::json;

class ServingCheckTest : public testing::Test {
 protected:
  ServingCheckTest() {
    machine_.place_gemms(4096);
    check_.model = machine_.config();
    check_.backend = "ggml";
    check_.data = machine_.tables();
    check_.url = engine_.url();
    check_.users = {1, 2};
    check_.length_ratios = {1};
    check_.isl = 16, check_.osl = 4, check_.requests_per_user = 2;
    check_.launch = {"max_running=2"};
    check_.most_busy = 1;
  }
  std::string printed() {
    testing::internal::CaptureStdout();
    const int code = run_serving_check(check_, machine_.ops());
    std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(code, kDone);
    return out;
  }
  std::string refusal() {
    try {
      (void)run_serving_check(check_, machine_.ops());
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no refusal";
  }

  FakeEngine engine_;
  ToyMachine machine_;
  ServingCheck check_;
};

TEST_F(ServingCheckTest, HoldsMeasuredBesidePredicted) {
  check_.json = true;
  const json cases = json::parse(printed());
  ASSERT_EQ(cases.size(), 2u);
  for (const json& c : cases) {
    EXPECT_EQ(c.at("requests"), 2 * c.at("users").get<int64_t>());
    EXPECT_GE(c.at("measured").at("ttft_ms").get<double>(), FakeEngine::kPauseMs);
    EXPECT_GT(c.at("measured").at("tpot_ms").get<double>(),
              0);  // a first token that is seen late shortens it
    const double predicted = c.at("predicted").at("ttft_ms"), measured = c.at("measured").at("ttft_ms");
    EXPECT_NEAR(c.at("ttft_error").get<double>(), predicted / measured - 1, 1e-9);
  }
  EXPECT_GT(cases[1].at("predicted").at("ttft_ms").get<double>(),
            cases[0].at("predicted").at("ttft_ms").get<double>())
      << "the second of two prompts that are sent together waits for the first";
}

TEST_F(ServingCheckTest, NamesWhatThePredictionLeavesOut) {
  EXPECT_THAT(printed(), testing::HasSubstr("left out of the prediction: embedding, not in the tables"));
}

TEST_F(ServingCheckTest, CasesOnABusyMachineAreMarkedAndNotCounted) {
  check_.most_busy = -1;  // no machine is that idle
  const std::string out = printed();
  EXPECT_THAT(out, testing::HasSubstr("% busy before"));
  EXPECT_THAT(out, testing::HasSubstr("no case began on an idle machine: no median error"));
}

TEST_F(ServingCheckTest, NonsenseIsRefusedBeforeAnyLoad) {
  const ServingCheck sound = check_;
  check_.url.clear();
  EXPECT_EQ(refusal(), "--serving needs --url, the address of the engine");
  check_ = sound, check_.users = {1, 0};
  EXPECT_EQ(refusal(), "--users 0: give 1 to 4096");
  check_ = sound, check_.osl = 1;
  EXPECT_EQ(refusal(), "--isl must be at least 1 and --osl at least 2");
  check_ = sound, check_.requests_per_user = 0;
  EXPECT_EQ(refusal(), "--requests-per-user must be from 1 to 1000000");
  check_ = sound, check_.launch = {"max_running"};
  EXPECT_EQ(refusal(), "--launch 'max_running': give name=value");
  check_ = sound, check_.launch = {"users=5"};
  EXPECT_EQ(refusal(), "--launch users: that is no launch parameter; verify has flags for the load");
  check_ = sound, check_.path_ms = -1;
  EXPECT_EQ(refusal(), "--path-ms cannot be negative");
  check_ = sound, check_.length_ratios = {0};
  EXPECT_THAT(refusal(), testing::HasSubstr("the input length ratio is 0"));
  check_ = sound, check_.launch = {"recv_interval=3"};
  EXPECT_THAT(refusal(), testing::HasSubstr("llama_cpp has no recv_interval"));
  check_ = sound, check_.api = "openai";
  EXPECT_EQ(refusal(), "--api 'openai' is none of completions, chat and llama_cpp");
}

}  // namespace
}  // namespace perfatlas
