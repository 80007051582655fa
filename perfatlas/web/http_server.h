// SPDX-License-Identifier: Apache-2.0
// Binds a Service to a socket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "perfatlas/http/transport.h"
#include "perfatlas/web/service.h"

namespace perfatlas {

struct HttpLimits {
  size_t body_bytes = 1 << 20;
  int threads = 32;               // connections served at once; further ones wait for a free thread
  int64_t requests_at_once = 64;  // being worked on; further ones get 503
  int io_timeout_s = 5;           // to receive a request or to send its answer
};

/// HTTP/1.1 with keep-alive.
class HttpServer {
 public:
  /// Throws Error when there is no HTTP plug-in (http/transport.h). REQUIRES: the service outlives the server.
  HttpServer(Service& service, HttpLimits limits);
  ~HttpServer();

  /// Binds; port 0 takes a free one. Returns the port. Throws Error when the address is in use or unknown.
  int bind(const std::string& host, int port);
  /// Serves until stop(). REQUIRES: bind() was called.
  void run();
  /// May be called from any thread.
  void stop();

 private:
  std::unique_ptr<HttpTransport> transport_;
  std::unique_ptr<HttpListener> listener_;
};

}  // namespace perfatlas
