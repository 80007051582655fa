// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/protocol_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

constexpr size_t kLongestLine = 16u << 20;

[[noreturn]] void fail(std::string_view what, std::string_view remedy) {
  throw Error(fmt::format("protocol channel: {}: {}; {}", what, std::strerror(errno), remedy));
}

}  // namespace

ProtocolFds parse_protocol_fds(std::string_view text) {
  const auto parts = split(text, ',');
  if (parts.size() == 2) {
    const auto in = parse_integer(parts[0]), out = parse_integer(parts[1]);
    if (in && out && *in >= 0 && *out >= 0 && *in <= INT_MAX && *out <= INT_MAX) return {int(*in), int(*out)};
  }
  throw UsageError(fmt::format("--protocol-fds: '{}' is not two open descriptors such as 3,4", text));
}

ProtocolChannel::ProtocolChannel(ProtocolFds fds) : fds_(fds) {
  for (const int fd : {fds.in, fds.out})
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      fail(fmt::format("descriptor {}", fd), "pass descriptors that are open in the worker");
  std::signal(SIGPIPE, SIG_IGN);  // a vanished reader is an error return of write, not a signal
}

ProtocolChannel::~ProtocolChannel() {
  ::close(fds_.in);
  if (fds_.out != fds_.in) ::close(fds_.out);
}

ProtocolFds ProtocolChannel::take_standard_streams() {
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    fail("standard output", "start the worker with its standard streams open");
  return {STDIN_FILENO, out};
}

std::optional<std::string> ProtocolChannel::read_line() {
  while (true) {
    if (const size_t newline = buffer_.find('\n', searched_); newline != buffer_.npos) {
      std::string line = buffer_.substr(0, newline);
      buffer_.erase(0, newline + 1);
      searched_ = 0;
      return line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() > kLongestLine)
      throw Error("protocol channel: a line is longer than 16 MiB; requests are single JSON objects");
    char block[65536];
    const ssize_t got = ::read(fds_.in, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", "the supervisor's end of the pipe is broken");
    if (got == 0) {
      if (buffer_.empty()) return std::nullopt;
      searched_ = 0;
      return std::exchange(buffer_, {});
    }
    buffer_.append(block, size_t(got));
  }
}

void ProtocolChannel::write_line(std::string_view line) {
  PERFATLAS_ASSERT(line.find('\n') == line.npos);
  std::string bytes(line);
  bytes += '\n';
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(fds_.out, bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("write", "the reader of the answers is gone");
    done += size_t(put);
  }
}

}  // namespace perfatlas
