// SPDX-License-Identifier: Apache-2.0
// The HTTP plug-in: the only code that knows cpp-httplib.
#include <fmt/format.h>
#include <httplib.h>

#include <chrono>
#include <limits>
#include <thread>

#include "perfatlas/http/transport.h"

namespace perfatlas {
namespace {

void send(httplib::Response& response, HttpReply reply) {
  response.status = reply.status;
  response.set_content(std::move(reply.body), reply.content_type);
}

class Listener final : public HttpListener {
 public:
  Listener(HttpHandlers handlers, const HttpListenerLimits& limits) : handlers_(std::move(handlers)) {
    http_.set_payload_max_length(limits.body_bytes);
    http_.set_read_timeout(limits.io_timeout_s);
    http_.set_write_timeout(limits.io_timeout_s);
    http_.set_keep_alive_max_count(std::numeric_limits<size_t>::max());
    http_.set_keep_alive_timeout(limits.io_timeout_s);
    http_.set_tcp_nodelay(true);
    // The library's default, SO_REUSEPORT, lets a second server take a port that is in use.
    http_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    http_.new_task_queue = [threads = limits.threads] { return new httplib::ThreadPool(size_t(threads)); };
    const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
      send(response, handlers_.answer({request.method, request.path, request.body}));
    };
    http_.Get(".*", answer);
    http_.Post(".*", answer);
    http_.Put(".*", answer);
    http_.Delete(".*", answer);
    http_.set_error_handler([this](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) send(response, handlers_.refuse(response.status));
    });
  }

  int bind(const std::string& host, int port) override {
    if (port == 0) return http_.bind_to_any_port(host);
    return http_.bind_to_port(host, port) ? port : -1;
  }
  void run() override { http_.listen_after_bind(); }
  void stop() override {
    // The library's stop() does nothing before run() has begun to listen.
    for (int i = 0; i < 1000 && !http_.is_running(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    http_.stop();
  }

 private:
  HttpHandlers handlers_;
  httplib::Server http_;
};

/// Why there was no answer.
std::string problem_text(httplib::Error error, double timeout_s) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "cannot connect; does the server run there?";
    case httplib::Error::Read:
      return fmt::format("the answer broke off, or nothing came for {} s", timeout_s);
    default:
      return fmt::format("no answer ({})", httplib::to_string(error));
  }
}

class Transport final : public HttpTransport {
 public:
  std::unique_ptr<HttpListener> listen(HttpHandlers handlers, const HttpListenerLimits& limits) override {
    return std::make_unique<Listener>(std::move(handlers), limits);
  }

  HttpOutcome post(const HttpPost& post, const std::function<void(std::string_view)>& on_piece) override {
    httplib::Client client(post.url);
    client.set_tcp_nodelay(true);
    client.set_read_timeout(std::chrono::milliseconds(int64_t(post.timeout_s * 1000)));
    httplib::Request http;
    http.method = "POST";
    http.path = post.path;
    http.body = post.body;
    http.headers = {{"Content-Type", "application/json"}, {"Accept", post.accept}};
    if (!post.key.empty()) http.headers.emplace("Authorization", "Bearer " + post.key);
    http.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
      on_piece({data, size});
      return true;
    };
    const httplib::Result reply = client.send(http);
    if (!reply) return {0, problem_text(reply.error(), post.timeout_s)};
    return {reply->status, {}};
  }
};

}  // namespace
}  // namespace perfatlas

extern "C" __attribute__((visibility("default"))) perfatlas::HttpTransport* perfatlas_http_transport(
    int abi) {
  return abi == perfatlas::kHttpTransportAbi ? new perfatlas::Transport : nullptr;
}
