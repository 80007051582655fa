// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/rank_wire.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

std::string own_name(const char* what) { return fmt::format("perfatlas-test-{}-{}", what, ::getpid()); }

TEST(RankWire, LargeMessagesArriveWhole) {
  const FileDescriptor listener = listen_locally(own_name("large"));
  const FileDescriptor caller = connect_locally(own_name("large"));
  const FileDescriptor front = accept_own(listener, 1000);
  ASSERT_TRUE(bool(front));
  std::vector<int> sent(1 << 20), received(1 << 20);
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = int(i);
  std::thread sender([&] { EXPECT_TRUE(send_bytes(caller.get(), sent.data(), sent.size() * sizeof(int))); });
  EXPECT_TRUE(receive_bytes(front.get(), received.data(), received.size() * sizeof(int)));
  sender.join();
  EXPECT_EQ(received, sent);
}

TEST(RankWire, AVanishedEndIsSeenByBothDirections) {
  const FileDescriptor listener = listen_locally(own_name("gone"));
  FileDescriptor caller = connect_locally(own_name("gone"));
  const FileDescriptor front = accept_own(listener, 1000);
  caller.reset();
  char byte = 0;
  EXPECT_FALSE(receive_bytes(front.get(), &byte, 1));
  EXPECT_FALSE(send_bytes(front.get(), &byte, 1));
}

TEST(RankWire, NobodyCallingIsNoCaller) {
  const FileDescriptor listener = listen_locally(own_name("quiet"));
  EXPECT_FALSE(bool(accept_own(listener, 1)));
}

TEST(RankWire, ATakenNameIsRefused) {
  const FileDescriptor listener = listen_locally(own_name("taken"));
  EXPECT_THROW(listen_locally(own_name("taken")), Error);
  EXPECT_THROW(connect_locally(own_name("nobody")), Error);
}

}  // namespace
}  // namespace perfatlas
