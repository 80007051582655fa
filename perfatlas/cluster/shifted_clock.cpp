// SPDX-License-Identifier: Apache-2.0
// For tests: preloaded, it sets the wall clock of a process off by PERFATLAS_TEST_CLOCK_SHIFT_S seconds, as a machine
// whose clock jumped would have it. The steady clock is left alone.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = int(::syscall(SYS_clock_gettime, clock, time));
  const char* const shift = std::getenv("PERFATLAS_TEST_CLOCK_SHIFT_S");
  if (result == 0 && clock == CLOCK_REALTIME && shift != nullptr) time->tv_sec += std::atol(shift);
  return result;
}
