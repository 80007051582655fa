// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/check_questions.h"

#include <gtest/gtest.h>

#include "perfatlas/cli/worker_session.h"

namespace perfatlas {
namespace {

struct CheckQuestionsTest : testing::Test {
  int restarts = 0;
  CheckQuestions questions{[this] { ++restarts; }};

  static WorkerAnswer right() { return CheckAnswer{"kernel", {}}; }
  static WorkerAnswer failed() { return FailedAnswer{"cudaErrorIllegalAddress"}; }
  static WorkerAnswer lost() { throw WorkerLost("the worker was lost: SIGSEGV"); }
};

TEST_F(CheckQuestionsTest, ALostWorkerFailsItsCaseAndAnotherGoesOn) {
  const WorkerAnswer answer = questions.ask(&lost);
  ASSERT_TRUE(std::holds_alternative<FailedAnswer>(answer));
  EXPECT_EQ(std::get<FailedAnswer>(answer).error, "the worker was lost: SIGSEGV");
  EXPECT_EQ(restarts, 1);
  EXPECT_TRUE(std::holds_alternative<CheckAnswer>(questions.ask(&right)));
  EXPECT_EQ(restarts, 1);
}

TEST_F(CheckQuestionsTest, AWorkerThatEndsAfterAFailureDoesNotFailTheNextCase) {
  EXPECT_TRUE(std::holds_alternative<FailedAnswer>(questions.ask(&failed)));
  int asked = 0;
  const WorkerAnswer answer = questions.ask([&] { return ++asked == 1 ? lost() : right(); });
  EXPECT_TRUE(std::holds_alternative<CheckAnswer>(answer));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(restarts, 1);
}

TEST_F(CheckQuestionsTest, ACaseThatLosesTwoWorkersAfterAFailureIsItsOwn) {
  questions.ask(&failed);
  int asked = 0;
  const WorkerAnswer answer = questions.ask([&] { return ++asked, lost(); });
  EXPECT_TRUE(std::holds_alternative<FailedAnswer>(answer));
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(restarts, 2);
}

TEST_F(CheckQuestionsTest, WhatKeepsAWorkerFromStartingEndsTheCheck) {
  CheckQuestions none([] { throw Error("no CUDA device is visible"); });
  EXPECT_THROW(none.ask(&lost), Error);
}

}  // namespace
}  // namespace perfatlas
