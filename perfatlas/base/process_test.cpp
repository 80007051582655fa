// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{20000};

class Process : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  ChildProcess shell(const std::string& script) const {
    return ChildProcess::spawn({.command = {"sh", "-c", script}, .log_path = log()});
  }
  std::string log() const { return folder_ + "/log"; }
  std::string folder_ = testing::TempDir() + "perfatlas_process_XXXXXX";
};

bool process_exists(pid_t pid) { return ::kill(pid, 0) == 0; }

/// Waits until the process is gone; the caller's test fails by time limit if it never is.
void expect_gone(pid_t pid) {
  for (int i = 0; i < 2000 && process_exists(pid); ++i) std::this_thread::sleep_for(milliseconds{5});
  EXPECT_FALSE(process_exists(pid));
}

TEST_F(Process, AnswersComeOverTheirOwnDescriptors) {
  ChildProcess child = shell("echo noise; echo trouble >&2; while read x <&3; do echo got $x >&4; done");
  EXPECT_TRUE(child.send_line("one", kLong));
  EXPECT_EQ(child.wait_line(kLong), "got one");
  EXPECT_TRUE(child.send_line("two", kLong));
  EXPECT_EQ(child.wait_line(kLong), "got two");
  child.close_requests();
  EXPECT_EQ(child.wait(kLong).code, 0);
  EXPECT_EQ(read_file(log()), "noise\ntrouble\n");
}

TEST_F(Process, ExitCodesAndSignalsAreValues) {
  EXPECT_EQ(shell("exit 3").wait(kLong).text(), "exit code 3");
  EXPECT_EQ(shell("kill -SEGV $$").wait(kLong).text(), "SIGSEGV");
}

TEST_F(Process, ManyLinesInOnePieceAndOneLineInManyPieces) {
  ChildProcess child = shell("printf 'a\\nb\\n\\nc' >&4; sleep 0.05; printf 'd\\nrest' >&4");
  for (const char* expected : {"a", "b", "", "cd"}) EXPECT_EQ(child.wait_line(kLong), expected);
  EXPECT_EQ(child.wait_line(kLong), std::nullopt);
  EXPECT_EQ(child.partial_line(), "rest");
}

TEST_F(Process, ADeadlineIsNotWaitedBeyond) {
  ChildProcess child = shell("sleep 100");
  EXPECT_EQ(child.wait_line(milliseconds{20}), std::nullopt);
  EXPECT_EQ(child.try_wait(), std::nullopt);
  child.kill();
  EXPECT_EQ(child.wait(kLong).text(), "SIGKILL");
}

TEST_F(Process, WritingToADeadChildIsNoSignal) {
  ChildProcess child = shell("exit 0");
  child.wait(kLong);
  bool accepted = true;
  for (int i = 0; i < 3 && accepted; ++i) accepted = child.send_line("hello", milliseconds{100});
  EXPECT_FALSE(accepted);
}

TEST_F(Process, AChildThatDoesNotReadCannotBlockUs) {
  ChildProcess child = shell("sleep 100");
  EXPECT_FALSE(child.send_line(std::string(32 << 20, 'x'), milliseconds{20}));
}

TEST_F(Process, GrandchildrenDieWithTheGroup) {
  ChildProcess child = shell("sleep 100 & echo $! >&4; wait");
  const auto line = child.wait_line(kLong);
  ASSERT_TRUE(line);
  child.kill();
  child.wait(kLong);
  // A killed orphan stays visible until init reaps it, so ask for its state instead of its entry.
  const auto state = [&] {
    std::ifstream stat("/proc/" + *line + "/stat");
    std::string pid, name, letter;
    stat >> pid >> name >> letter;
    return letter;
  };
  for (int i = 0; i < 2000 && !state().empty() && state() != "Z"; ++i)
    std::this_thread::sleep_for(milliseconds{5});
  EXPECT_TRUE(state().empty() || state() == "Z");
}

TEST_F(Process, NoChildOutlivesItsParentEvenAfterSigkill) {
  int ids[2];
  ASSERT_EQ(::pipe(ids), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const ChildProcess child = shell("sleep 100");
    const pid_t pid = child.pid();
    [[maybe_unused]] const auto written = ::write(ids[1], &pid, sizeof pid);
    ::kill(::getpid(), SIGKILL);
  }
  pid_t orphan = -1;
  ASSERT_EQ(::read(ids[0], &orphan, sizeof orphan), ssize_t(sizeof orphan));
  int status = 0;
  ::waitpid(parent, &status, 0);
  const auto dead = [&] {
    std::ifstream stat("/proc/" + std::to_string(orphan) + "/stat");
    std::string pid, name, letter;
    stat >> pid >> name >> letter;
    return letter.empty() || letter == "Z";
  };
  for (int i = 0; i < 2000 && !dead(); ++i) std::this_thread::sleep_for(milliseconds{5});
  EXPECT_TRUE(dead());
  ::close(ids[0]);
  ::close(ids[1]);
}

TEST_F(Process, DestructionEndsTheChild) {
  pid_t pid = -1;
  {
    const ChildProcess child = shell("sleep 100");
    pid = child.pid();
  }
  expect_gone(pid);
}

TEST_F(Process, NoOtherDescriptorReachesTheChild) {
  const int leaked = ::dup(0);  // without close-on-exec, as a careless library would
  ChildProcess child = shell("ls /proc/self/fd | tr '\\n' ' ' >&4; echo >&4");
  const auto line = child.wait_line(kLong);
  ::close(leaked);
  ASSERT_TRUE(line);
  // 0-4, and the one that `ls` itself opens to read the folder.
  EXPECT_EQ(*line, "0 1 2 3 4 5 ");
}

TEST_F(Process, AMissingProgramIsAnErrorThatNamesIt) {
  try {
    ChildProcess::spawn({.command = {"/no/such/worker"}, .log_path = log()});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/no/such/worker"), std::string::npos);
  }
}

TEST_F(Process, ResidentMemoryIsKnownWhileItLives) {
  ChildProcess child = shell("sleep 100");
  EXPECT_GE(child.resident_bytes().value_or(0), 4096);
}

TEST_F(Process, SignalsAreCountedInsteadOfKilling) {
  InterruptSignals signals;
  EXPECT_EQ(signals.count(), 0);
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(signals.count(), 1);
  ::kill(::getpid(), SIGINT);
  EXPECT_EQ(signals.count(), 2);
}

TEST_F(Process, ChildrenDoNotInheritBlockedSignals) {
  const InterruptSignals signals;
  ChildProcess child = shell("sleep 100");
  ::kill(child.pid(), SIGTERM);
  EXPECT_EQ(child.wait(kLong).text(), "SIGTERM");
}

}  // namespace
}  // namespace perfatlas
