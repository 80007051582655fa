// SPDX-License-Identifier: Apache-2.0
// What the worker's front process and the ranks of a group say to each other: fixed records over a local socket per
// rank. Both ends are the same executable on the same machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "perfatlas/base/file.h"

namespace perfatlas {

/// The first words of a rank.
struct RankHello {
  int32_t rank = 0, ranks = 0;
};

enum class RankAct : uint32_t {
  prepare,  // payload: kernel name, newline, case text
  load,     // payload: the rank's row of every operand, one after another
  run,      // `launches` launches after a barrier; the reply has their time
  fetch,    // the reply's payload is the rank's row of every operand
  release,  // give the buffers back
};

/// Followed by `bytes` bytes of payload.
struct RankCommand {
  RankAct act = RankAct::run;
  uint32_t launches = 0;
  uint64_t bytes = 0;
};

/// Followed by `bytes` bytes of payload; of a failure, its text.
struct RankReply {
  uint64_t failed = 0;
  double ms = 0;
  uint64_t bytes = 0;
};

/// Listens under a name of the abstract namespace, which vanishes with its owner. Throws Error.
FileDescriptor listen_locally(const std::string& name);
/// Throws Error.
FileDescriptor connect_locally(const std::string& name);
/// The next caller that runs as the same user, or nothing within `timeout_ms`.
FileDescriptor accept_own(const FileDescriptor& listener, int timeout_ms);

/// False when the other end is gone.
bool send_bytes(int fd, const void* bytes, size_t count);
bool receive_bytes(int fd, void* bytes, size_t count);

}  // namespace perfatlas
