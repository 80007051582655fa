// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/http_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <chrono>
#include <thread>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

void send(httplib::Response& response, Reply reply) {
  response.status = reply.status;
  response.set_content(std::move(reply.body), reply.content_type);
}

void handle(Service& service, const HttpLimits& limits, const httplib::Request& request,
            httplib::Response& response) {
  const auto start = std::chrono::steady_clock::now();
  Metrics& metrics = service.metrics();
  const bool room = metrics.enter() <= limits.requests_at_once;
  send(response, room ? service.answer(request.method, request.path, request.body)
                      : Service::error(503, fmt::format("more than {} requests at once; try again",
                                                        limits.requests_at_once)));
  metrics.leave();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  metrics.answered(request.path, response.status, taken.count());
}

/// What the library itself refuses (too large, malformed) in the form of our errors.
void describe_refusal(const httplib::Request&, httplib::Response& response) {
  if (!response.body.empty()) return;
  const char* what = response.status == 413 ? "the body is too large"
                     : response.status == 404
                         ? "there is no such path; GET /openapi.json describes the service"
                         : "the request is malformed";
  const int status = response.status;
  send(response, Service::error(status, what));
}

}  // namespace

struct HttpServer::Server {
  httplib::Server http;
};

HttpServer::HttpServer(Service& service, HttpLimits limits) : server_(std::make_unique<Server>()) {
  httplib::Server& http = server_->http;
  http.set_payload_max_length(limits.body_bytes);
  http.set_read_timeout(limits.io_timeout_s);
  http.set_write_timeout(limits.io_timeout_s);
  http.set_keep_alive_max_count(std::numeric_limits<size_t>::max());
  http.set_keep_alive_timeout(limits.io_timeout_s);
  http.set_tcp_nodelay(true);
  http.new_task_queue = [threads = limits.threads] { return new httplib::ThreadPool(size_t(threads)); };
  const auto answer = [&service, limits](const httplib::Request& request, httplib::Response& response) {
    handle(service, limits, request, response);
  };
  http.Get(".*", answer);
  http.Post(".*", answer);
  http.Put(".*", answer);
  http.Delete(".*", answer);
  http.set_error_handler(describe_refusal);
}

HttpServer::~HttpServer() = default;

int HttpServer::bind(const std::string& host, int port) {
  const int bound = port == 0 ? server_->http.bind_to_any_port(host.c_str())
                    : server_->http.bind_to_port(host.c_str(), port) ? port
                                                                     : -1;
  if (bound < 0)
    throw Error(
        fmt::format("cannot listen on {}:{}; is the address this machine's and the port free?", host, port));
  return bound;
}

void HttpServer::run() { server_->http.listen_after_bind(); }

void HttpServer::stop() {
  // The library's stop() does nothing before run() has begun to listen.
  for (int i = 0; i < 1000 && !server_->http.is_running(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  server_->http.stop();
}

}  // namespace perfatlas
