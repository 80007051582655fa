// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/hw/machine_clock_lock.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using testing::HasSubstr;

/// The stand-in of NVML writes what was asked of its clocks to a file.
struct ClockLockTest : testing::Test {
  ClockLockTest() { setenv("FAKE_NVML_CLOCKS", clocks_path.c_str(), 1); }
  ~ClockLockTest() override { unsetenv("FAKE_NVML_CLOCKS"), ::unlink(clocks_path.c_str()); }
  std::string asked() const {
    std::ostringstream text;
    text << std::ifstream(clocks_path).rdbuf();
    return text.str();
  }
  static std::string error_of(const std::vector<std::string>& uuids,
                              const std::string& library = PERFATLAS_FAKE_NVML) {
    try {
      ClockLock lock(uuids, 1410, library);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }
  const std::string clocks_path = testing::TempDir() + "/clocks." + std::to_string(::getpid());
};

TEST_F(ClockLockTest, HoldsEveryGpuWhileItLivesAndFreesThem) {
  {
    const ClockLock lock({"GPU-1", "GPU-2"}, 1410, PERFATLAS_FAKE_NVML);
    EXPECT_EQ(asked(), "1 locked 1410-1410\n2 locked 1410-1410\n");
  }
  EXPECT_EQ(asked(), "1 locked 1410-1410\n2 locked 1410-1410\n1 free\n2 free\n");
}

TEST_F(ClockLockTest, AFailureLeavesNothingLocked) {
  EXPECT_THAT(error_of({"GPU-1", "GPU-9"}), HasSubstr("--lock-clocks: GPU-9: no such GPU"));
  EXPECT_EQ(asked(), "1 locked 1410-1410\n1 free\n");
  setenv("FAKE_NVML_CLOCKS", "", 1);
  EXPECT_THAT(error_of({"GPU-1"}), HasSubstr("GPU-1: no permission"));
  EXPECT_THAT(error_of({"GPU-1"}, "libnone.so"), HasSubstr("does not start"));
}

TEST_F(ClockLockTest, FreesThemWhenItsOwnerIsKilled) {
  const pid_t owner = ::fork();
  if (owner == 0) {
    const ClockLock lock({"GPU-1"}, 1200, PERFATLAS_FAKE_NVML);
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_EQ(::waitpid(owner, nullptr, 0), owner);
  for (int i = 0; i < 1000 && asked().find("free") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(asked(), "1 locked 1200-1200\n1 free\n");
}

}  // namespace
}  // namespace perfatlas
