// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

TEST(InParallel, EveryIndexIsInOnePart) {
  for (const size_t count : {0u, 1u, 7u, 1000u, 1001u}) {
    std::vector<int> visits(count, 0);
    in_parallel(count, 3, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) ++visits[i];
    });
    EXPECT_EQ(visits, std::vector<int>(count, 1));
  }
}

TEST(InParallel, FewThingsAreDoneInOneCall) {
  std::atomic<int> calls = 0;
  in_parallel(19, 10, [&](size_t, size_t) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(InParallel, AnExceptionOfAnyPartArrives) {
  const auto work = [](size_t, size_t end) {
    if (end == 1000) throw Error("the last part");
  };
  EXPECT_THROW(in_parallel(1000, 10, work), Error);
}

TEST(OnThreads, EveryIndexIsTakenOnceByAKnownThread) {
  for (const size_t threads : {1u, 2u, 5u}) {
    std::vector<std::atomic<int>> visits(100);
    std::atomic<size_t> highest = 0;
    on_threads(threads, visits.size(), [&](size_t thread, size_t i) {
      ++visits[i];
      size_t seen = highest;
      while (thread > seen && !highest.compare_exchange_weak(seen, thread)) continue;
    });
    for (const std::atomic<int>& count : visits) EXPECT_EQ(count, 1);
    EXPECT_LT(highest, threads);
  }
}

TEST(OnThreads, AnExceptionArrivesAfterTheOthersEnded) {
  std::atomic<int> ended = 0;
  const auto work = [&](size_t, size_t i) {
    if (i == 0) throw Error("the first");
    ++ended;
  };
  EXPECT_THROW(on_threads(2, 50, work), Error);
  EXPECT_LE(ended, 49);
  EXPECT_THROW(on_threads(1, 50, work), Error);
}

}  // namespace
}  // namespace perfatlas
