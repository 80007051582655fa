// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/cli/worker_session.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "perfatlas/base/error.h"
#include "perfatlas/cli/measure_options.h"
#include "perfatlas/collect/supervisor.h"
#include "perfatlas/collect/worker_client.h"

namespace perfatlas {
namespace {

constexpr double kHelloDeadlineSeconds = 120;

std::vector<std::string> filled_command(const std::string& backend, const std::string& device,
                                        const std::vector<std::string>& given) {
  std::vector<std::string> command = given.empty() ? worker_command(backend) : given;
  const std::string name = device.empty() ? default_devices(backend).front() : device;
  for (std::string& word : command)
    if (const size_t at = word.find("{device}"); at != word.npos) word.replace(at, 8, name);
  return command;
}

std::string log_file() {
  return (std::filesystem::temp_directory_path() / fmt::format("perfatlas-worker-{}.log", getpid())).string();
}

}  // namespace

struct WorkerSession::State {
  State(const std::vector<std::string>& command, const std::string& log)
      : log_path(log), client(command, log) {}
  ~State() {
    client.retire();
    std::error_code ignored;
    std::filesystem::remove(log_path, ignored);
  }
  std::string log_path;
  WorkerClient client;
  HelloAnswer hello;
};

WorkerSession::WorkerSession(const std::string& backend, const std::string& device,
                             const std::vector<std::string>& command)
    : command_(filled_command(backend, device, command)) {
  restart();
}

void WorkerSession::restart() {
  state_.reset();
  state_ = std::make_unique<State>(command_, log_file());
  WorkerAnswer answer = ask(HelloRequest{}, kHelloDeadlineSeconds);
  if (const auto* failed = std::get_if<FailedAnswer>(&answer)) throw Error("worker: " + failed->error);
  auto* hello = std::get_if<HelloAnswer>(&answer);
  if (hello == nullptr)
    throw Error("worker: answered hello with something else; it is not a perfatlas worker");
  if (hello->protocol != kProtocolVersion)
    throw Error(fmt::format("{}: speaks protocol {}, this program {}; install the same release of both",
                            hello->worker, hello->protocol, kProtocolVersion));
  state_->hello = std::move(*hello);
}

WorkerSession::~WorkerSession() = default;

const HelloAnswer& WorkerSession::hello() const { return state_->hello; }

WorkerAnswer WorkerSession::ask(const Request& request, double deadline_s) {
  const auto lost = [](const WorkerLoss& loss) { return WorkerLost("the worker was lost: " + loss.reason); };
  if (const auto loss = state_->client.ask(request)) throw lost(*loss);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(deadline_s);
  while (true) {
    const WorkerClient::Event event = state_->client.event();
    if (const auto* answer = std::get_if<WorkerAnswer>(&event)) return *answer;
    if (const auto* loss = std::get_if<WorkerLoss>(&event)) throw lost(*loss);
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) throw lost(state_->client.give_up(deadline_s));
    pollfd waiting{state_->client.fd(), POLLIN, 0};
    (void)poll(&waiting, 1, int(std::min<int64_t>(left.count() + 1, 1000)));
  }
}

std::string backend_version(const HelloAnswer& hello, const std::string& backend) {
  const auto found = hello.backends.find(backend);
  if (found == hello.backends.end())
    throw Error(fmt::format("{}: has no back end '{}'", hello.worker, backend));
  return found->second;
}

}  // namespace perfatlas
