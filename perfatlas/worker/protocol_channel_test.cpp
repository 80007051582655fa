// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/protocol_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

struct Pipes {
  int to_channel[2];
  int from_channel[2];
  Pipes() {
    EXPECT_EQ(::pipe(to_channel), 0);
    EXPECT_EQ(::pipe(from_channel), 0);
  }
  ProtocolFds fds() const { return {to_channel[0], from_channel[1]}; }
  void send(std::string_view text) const {
    EXPECT_EQ(::write(to_channel[1], text.data(), text.size()), ssize_t(text.size()));
  }
  void end_input() const { ::close(to_channel[1]); }
};

TEST(ProtocolChannel, LinesArriveWholeHoweverTheyWereCut) {
  const Pipes pipes;
  ProtocolChannel channel(pipes.fds());
  pipes.send("one\ntw");
  EXPECT_EQ(channel.read_line(), "one");
  pipes.send("o\n\nlast");
  pipes.end_input();
  EXPECT_EQ(channel.read_line(), "two");
  EXPECT_EQ(channel.read_line(), "");
  EXPECT_EQ(channel.read_line(), "last");
  EXPECT_EQ(channel.read_line(), std::nullopt);
  EXPECT_EQ(channel.read_line(), std::nullopt);
}

TEST(ProtocolChannel, ALineLargerThanThePipePasses) {
  const Pipes pipes;
  ProtocolChannel channel(pipes.fds());
  const std::string line(1'000'000, 'x');
  std::thread writer([&] {
    pipes.send(line + "\n");
    pipes.end_input();
  });
  EXPECT_EQ(channel.read_line(), line);
  writer.join();
}

TEST(ProtocolChannel, AVanishedReaderIsAnErrorNotASignal) {
  const Pipes pipes;
  ProtocolChannel channel(pipes.fds());
  ::close(pipes.from_channel[0]);
  EXPECT_THROW(channel.write_line("answer"), Error);
}

TEST(ProtocolChannel, ADescriptorThatIsNotOpenIsNamed) {
  try {
    ProtocolChannel channel({900, 901});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("descriptor 900"), std::string::npos) << error.what();
  }
}

TEST(ProtocolFds, OnlyTwoNumbersAreAccepted) {
  EXPECT_EQ(parse_protocol_fds("3,4").out, 4);
  for (const char* bad : {"", "3", "3,4,5", "a,b", "-1,4", "3, 4", "99999999999,4"})
    EXPECT_THROW(parse_protocol_fds(bad), UsageError) << bad;
}

}  // namespace
}  // namespace perfatlas
