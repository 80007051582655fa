// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/http_server.h"

#include <fmt/format.h>

#include <chrono>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

HttpReply to_http(Reply reply) {
  return {reply.status, std::move(reply.body), std::move(reply.content_type)};
}

HttpReply answer(Service& service, int64_t requests_at_once, const HttpRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  Metrics& metrics = service.metrics();
  const bool room = metrics.enter() <= requests_at_once;
  Reply reply =
      room ? service.answer(request.method, request.path, request.body)
           : Service::error(503, fmt::format("more than {} requests at once; try again", requests_at_once));
  metrics.leave();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  metrics.answered(request.path, reply.status, taken.count());
  return to_http(std::move(reply));
}

/// What the library itself refuses (too large, malformed) in the form of our errors.
HttpReply refuse(int status) {
  const char* const what = status == 413   ? "the body is too large"
                           : status == 404 ? "there is no such path; GET /openapi.json describes the service"
                                           : "the request is malformed";
  return to_http(Service::error(status, what));
}

}  // namespace

HttpServer::HttpServer(Service& service, HttpLimits limits)
    : transport_(open_http_transport()),
      listener_(transport_->listen({[&service, limits](const HttpRequest& request) {
                                      return answer(service, limits.requests_at_once, request);
                                    },
                                    refuse},
                                   {limits.body_bytes, limits.threads, limits.io_timeout_s})) {}

HttpServer::~HttpServer() = default;

int HttpServer::bind(const std::string& host, int port) {
  const int bound = listener_->bind(host, port);
  if (bound < 0)
    throw Error(
        fmt::format("cannot listen on {}:{}; is the address this machine's and the port free?", host, port));
  return bound;
}

void HttpServer::run() { listener_->run(); }

void HttpServer::stop() { listener_->stop(); }

}  // namespace perfatlas
