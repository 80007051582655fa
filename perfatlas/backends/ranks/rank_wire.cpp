// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/rank_wire.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

struct LocalAddress {
  sockaddr_un address{};
  socklen_t length = 0;
};

/// A leading zero byte marks the abstract namespace: no file, nothing to clean up.
LocalAddress abstract_address(const std::string& name) {
  LocalAddress local;
  local.address.sun_family = AF_UNIX;
  PERFATLAS_ASSERT(name.size() + 1 < sizeof local.address.sun_path);
  std::memcpy(local.address.sun_path + 1, name.data(), name.size());
  local.length = socklen_t(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return local;
}

FileDescriptor local_socket(const std::string& name) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) throw Error(io_error_text("open", "socket " + name, errno));
  return fd;
}

ucred peer(int fd) {
  ucred other{.pid = 0, .uid = uid_t(-1), .gid = gid_t(-1)};
  socklen_t length = sizeof other;
  ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &other, &length);
  return other;
}

}  // namespace

FileDescriptor listen_locally(const std::string& name) {
  FileDescriptor fd = local_socket(name);
  const LocalAddress local = abstract_address(name);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&local.address), local.length) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0)
    throw Error(io_error_text("listen on", "socket " + name, errno));
  return fd;
}

FileDescriptor connect_locally(const std::string& name) {
  FileDescriptor fd = local_socket(name);
  const LocalAddress local = abstract_address(name);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&local.address), local.length) != 0)
    throw Error(io_error_text("connect to", "socket " + name, errno));
  return fd;
}

FileDescriptor accept_own(const FileDescriptor& listener, int timeout_ms) {
  pollfd waiting{listener.get(), POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return {};
  FileDescriptor caller(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return caller && peer(caller.get()).uid == ::geteuid() ? std::move(caller) : FileDescriptor();
}

NetworkListener listen_on_network() {
  NetworkListener listener{FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener.fd || ::bind(listener.fd.get(), generic, length) != 0 ||
      ::listen(listener.fd.get(), SOMAXCONN) != 0 || ::getsockname(listener.fd.get(), generic, &length) != 0)
    throw Error(io_error_text("listen on", "the network", errno));
  listener.port = ntohs(address.sin_port);
  return listener;
}

FileDescriptor connect_over_network(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0)
    throw Error("cannot find host " + host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), found->ai_addr, found->ai_addrlen) != 0)
    throw Error(io_error_text("connect to", host + ":" + std::to_string(port), errno));
  // Commands are small and must not wait for each other.
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

FileDescriptor accept_any(const FileDescriptor& listener, int timeout_ms) {
  pollfd waiting{listener.get(), POLLIN, 0};
  if (::poll(&waiting, 1, timeout_ms) <= 0) return {};
  FileDescriptor caller(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  const int yes = 1;
  if (caller) ::setsockopt(caller.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return caller;
}

std::string format_address(const FrontAddress& a) {
  return a.host.empty() ? a.local : "tcp:" + a.host + ":" + std::to_string(a.port) + ":" + hex16(a.secret);
}

FrontAddress parse_address(const std::string& text) {
  const auto parts = split(text, ':');
  if (parts[0] != "tcp") return {.local = text};
  const auto port = parts.size() == 4 ? parse_integer(parts[2]) : std::nullopt;
  if (!port || *port < 1 || *port > 65535 || parts[3].size() != 16)
    throw Error("'" + text + "' is not tcp:HOST:PORT:SECRET");
  return {.local = {},
          .host = std::string(parts[1]),
          .port = uint16_t(*port),
          .secret = std::stoull(std::string(parts[3]), nullptr, 16)};
}

int peer_process(int fd) { return peer(fd).pid; }

bool send_bytes(int fd, const void* bytes, size_t count) {
  const char* at = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t sent = ::send(fd, at, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    at += sent;
    count -= size_t(sent);
  }
  return true;
}

bool receive_bytes(int fd, void* bytes, size_t count) {
  char* at = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::recv(fd, at, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    count -= size_t(got);
  }
  return true;
}

}  // namespace perfatlas
