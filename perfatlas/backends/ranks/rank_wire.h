// SPDX-License-Identifier: Apache-2.0
// What the worker's front process and the ranks of a group say to each other: fixed records over a socket per rank,
// local or, when ranks may be on other hosts, TCP. Both ends are the same executable on machines of one kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "perfatlas/base/file.h"
#include "perfatlas/schema/measured_state.h"

namespace perfatlas {

/// The first words of a rank.
struct RankHello {
  int32_t rank = 0, ranks = 0;
  uint64_t secret = 0;  // of FrontAddress: proves over the network that the caller is a rank of the group
  char host[64] = {};   // where the rank runs
};

enum class RankAct : uint32_t {
  prepare,  // payload: kernel name, newline, case text; the reply is followed by a RowSize per operand
  plan,     // payload: RankPlan; the reply has the launch mode, and its reason as text
  load,     // payload: a SharedPlace per operand, from which the rank copies its row
  receive,  // payload: the rank's rows themselves, one after the other; an output has one byte
  run,      // the launches of the plan, from a barrier on; the reply has their time and clock
  fetch,    // payload as of load: the rank copies its row there
  give,     // the reply is followed by the rank's rows
  release,  // give the buffers back
};

struct RowSize {
  uint64_t bytes = 0;
  uint64_t output = 0;  // 1: has no content to be copied, every byte is like the first
};

/// How a case is going to be launched.
struct RankPlan {
  uint32_t launches = 1;  // of one repetition
  uint32_t cache = 0;     // CacheState
  uint32_t may_be_eager = 1;
  bool operator==(const RankPlan&) const = default;
};

/// How the ranks launch.
struct RankReadiness {
  LaunchMode mode = LaunchMode::direct;
  std::string note;  // why not in the wanted mode
};

/// Followed by `bytes` bytes of payload.
struct RankCommand {
  RankAct act = RankAct::run;
  uint32_t unused = 0;  // no padding with undefined content on the wire
  uint64_t bytes = 0;
};

/// Followed by `bytes` bytes: of a failure why, of a plan the note, of prepare and give what RankAct says.
struct RankReply {
  uint32_t failed = 0;
  uint32_t mode = 0;  // LaunchMode
  double ms = 0;
  double clock_mhz = 0;  // 0: not known
  uint64_t bytes = 0;
};

/// Listens under a name of the abstract namespace, which vanishes with its owner. Throws Error.
FileDescriptor listen_locally(const std::string& name);
/// Throws Error.
FileDescriptor connect_locally(const std::string& name);
/// The next caller that runs as the same user, or nothing within `timeout_ms`.
FileDescriptor accept_own(const FileDescriptor& listener, int timeout_ms);

/// Listens on all networks of this host, at a port that the system chooses. Throws Error.
struct NetworkListener {
  FileDescriptor fd;
  uint16_t port = 0;
};
NetworkListener listen_on_network();
/// Throws Error.
FileDescriptor connect_over_network(const std::string& host, uint16_t port);
/// The next caller of any host, or nothing within `timeout_ms`.
FileDescriptor accept_any(const FileDescriptor& listener, int timeout_ms);

/// Where a rank calls: the name of a local socket, or "tcp:HOST:PORT:SECRET".
struct FrontAddress {
  std::string local;  // empty: over the network
  std::string host;
  uint16_t port = 0;
  uint64_t secret = 0;
};
std::string format_address(const FrontAddress& address);
/// Throws Error.
FrontAddress parse_address(const std::string& text);

/// Process id of the other end of a local socket.
int peer_process(int fd);

/// False when the other end is gone.
bool send_bytes(int fd, const void* bytes, size_t count);
bool receive_bytes(int fd, void* bytes, size_t count);

}  // namespace perfatlas
