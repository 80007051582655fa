// SPDX-License-Identifier: Apache-2.0
// perfatlas serve: predictions over HTTP, for schedulers and simulators.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/cli/paths.h"
#include "perfatlas/cli/serving_options.h"
#include "perfatlas/cli/verb.h"
#include "perfatlas/store/layout.h"
#include "perfatlas/tables/systems_root.h"
#include "perfatlas/web/http_server.h"

namespace perfatlas {
namespace {

struct ServeArguments {
  std::string host = "127.0.0.1", data, systems_path;
  int port = 8420;
  std::vector<std::string> prices;
  HttpLimits limits;
  double time_limit_s = 10;
};

/// "name=FILE", or FILE under the name of the identity in it.
void add_prices(const std::string& text, ServiceData& data) {
  const size_t equals = text.find('=');
  const std::string path = equals == std::string::npos ? text : text.substr(equals + 1);
  auto tables = std::make_shared<const PriceTables>(parse_price_tables(read_file(path), path));
  const std::string name = equals == std::string::npos ? tables->identity : text.substr(0, equals);
  if (!data.prices.emplace(name, std::move(tables)).second)
    throw UsageError(
        fmt::format("two price tables are called '{}'; give names: --prices a=FILE --prices b=FILE", name));
}

int run_serve(const ServeArguments& a, const OpRegistry& ops) {
  const bool nothing_else = a.prices.empty() && a.data.empty();
  const std::vector<std::string> published = nothing_else || !a.systems_path.empty()
                                                 ? find_systems_sources(a.systems_path)
                                                 : std::vector<std::string>();
  if (nothing_else && published.empty())
    throw UsageError("nothing to answer from; give --prices FILE, --data FOLDER or --systems-path WHEEL");
  // Signals are taken by the thread below, so that the server ends in order.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  ServiceData data;
  data.ops = &ops;
  data.time_limit_s = a.time_limit_s;
  for (const std::string& text : a.prices) add_prices(text, data);
  if (!a.data.empty()) data.database = std::make_unique<Database>(a.data);
  std::optional<SystemsRoot> root;
  std::optional<estimate::Session> session;
  if (!published.empty()) {
    root.emplace(published, ops);
    session.emplace(*root, model_libraries());
    data.session = &*session;
  }
  Service service(std::move(data));
  HttpServer server(service, a.limits);
  const int port = server.bind(a.host, a.port);
  fmt::print("listening on http://{}:{}, described at /openapi.json\n", a.host, port);
  std::fflush(stdout);
  std::thread watcher([&] {
    int signal = 0;
    sigwait(&stop_signals, &signal);
    server.stop();
  });
  server.run();
  kill(getpid(), SIGTERM);  // when the server ended by itself, the watcher still waits
  watcher.join();
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("serve", "Answer predictions over HTTP");
  const auto a = std::make_shared<ServeArguments>();
  verb->add_option("--prices", a->prices,
                   "Price tables for /v1/step and /v1/simulate: FILE or name=FILE; repeatable");
  verb->add_option("--data", a->data, "Placed tables, for /v1/query");
  add_systems_path_option(*verb, a->systems_path,
                          "Published tables, for /v1/estimate: a wheel or a folder; without anything else "
                          "given, those of the other verbs");
  verb->add_option("--host", a->host, "Address to listen on; anything but loopback is open to the network")
      ->capture_default_str();
  verb->add_option("--port", a->port, "0: any free one")->capture_default_str()->check(CLI::Range(0, 65535));
  verb->add_option("--threads", a->limits.threads, "Connections served at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  verb->add_option("--max-body", a->limits.body_bytes, "Largest request body, bytes")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 30));
  verb->add_option("--max-requests", a->limits.requests_at_once, "Requests worked on at once; others get 503")
      ->capture_default_str()
      ->check(CLI::Range(1, 1 << 20));
  verb->add_option("--time-limit", a->time_limit_s, "Seconds that one simulation may take")
      ->capture_default_str()
      ->check(CLI::Range(0.001, 1e6));
  verb->footer(
      "Examples:\n"
      "  perfatlas serve --prices qwen3.json\n"
      "  curl -d '{\"batch\": [[1, 1000], [1, 500], [256, 0]]}' http://127.0.0.1:8420/v1/step\n"
      "  curl -d '{\"engine\": \"vllm\", \"users\": 8, \"isl\": 1024, \"osl\": 128}' "
      "http://127.0.0.1:8420/v1/simulate\n"
      "GET /openapi.json describes the service, GET /metrics is for Prometheus. Ends on SIGINT and SIGTERM.");
  verb->callback(
      [&invocation, a] { invocation.action = [&invocation, a] { return run_serve(*a, invocation.ops); }; });
}

}  // namespace perfatlas
