// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 as a server and as a client: what crosses the border to the HTTP plug-in, libperfatlas_http.so. The library
// behind it brings TLS and compressors, whose start would take longer than most answers of this program; so it is
// opened by the verbs that speak HTTP alone. It is looked for at $PERFATLAS_HTTP (a file), then as base/plugin.h says.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace perfatlas {

struct HttpRequest {
  const std::string& method;
  const std::string& path;
  const std::string& body;
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string content_type;
};

struct HttpHandlers {
  std::function<HttpReply(const HttpRequest&)> answer;  // called from many threads at once; does not throw
  std::function<HttpReply(int status)>
      refuse;  // what the library itself refuses: too large, malformed, unknown
};

struct HttpListenerLimits {
  size_t body_bytes = 0;
  int threads = 1;       // connections served at once; further ones wait for a free thread
  int io_timeout_s = 1;  // to receive a request or to send its answer
};

/// A server with keep-alive.
class HttpListener {
 public:
  virtual ~HttpListener() = default;
  /// Binds; port 0 takes a free one. Returns the port, or -1 when the address is in use or unknown.
  virtual int bind(const std::string& host, int port) = 0;
  /// Serves until stop(). REQUIRES: bind() gave a port.
  virtual void run() = 0;
  /// May be called from any thread.
  virtual void stop() = 0;
};

/// One JSON request.
struct HttpPost {
  std::string url;  // "http://127.0.0.1:8000"
  std::string path, body;
  std::string accept;  // media type
  std::string key;     // bearer token; may be empty
  double timeout_s = 0;
};

struct HttpOutcome {
  int status = 0;       // 0: there was no answer
  std::string problem;  // why there was none: "cannot connect; does the server run there?"
};

/// Thread-safe.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual std::unique_ptr<HttpListener> listen(HttpHandlers handlers, const HttpListenerLimits& limits) = 0;
  /// Blocks until the answer has ended. `on_piece` gets its body as it comes.
  virtual HttpOutcome post(const HttpPost& post, const std::function<void(std::string_view)>& on_piece) = 0;
};

/// Raised when anything above changes; the plug-in answers null to another number.
inline constexpr int kHttpTransportAbi = 1;

/// The type of the plug-in's one symbol, "perfatlas_http_transport". The caller deletes the transport.
using HttpTransportFactory = HttpTransport* (*)(int abi);

/// A transport from the plug-in, which is opened on the first call and stays open. Throws Error naming where it was
/// looked for.
std::unique_ptr<HttpTransport> open_http_transport();

}  // namespace perfatlas
