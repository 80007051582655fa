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
  EXPECT_THROW(in_parallel(1000, 10,
                           [](size_t, size_t end) {
                             if (end == 1000) throw Error("the last part");
                           }),
               Error);
}

}  // namespace
}  // namespace perfatlas
