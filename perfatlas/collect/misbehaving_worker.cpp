// SPDX-License-Identifier: Apache-2.0
// A worker for tests: speaks the protocol, has no kernels, answers at once with latencies derived from the case, and
// crashes, hangs, lies and so on when told to (misbehaviour.h). Its back end is called "fake": nothing it says is a
// measurement, and no table of a real back end can receive it.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/misbehaviour.h"
#include "perfatlas/worker/messages.h"
#include "perfatlas/worker/protocol_channel.h"

namespace perfatlas {
namespace {

struct FakeOptions {
  ProtocolFds fds;
  std::string device = "0";
  std::vector<FaultRule> faults;
  std::string memory;           // folder in which rules with TIMES count
  std::string hello = "fake";   // back end it claims; "crash": dies instead of saying hello
  std::string version = "1.0";  // of that back end
  int protocol = kProtocolVersion;
  int late_ms = 50;
  double answer_us = 0;  // time each sample request takes
  uint64_t seed = 0;
};

FakeOptions parse_options(int count, char** words) {
  FakeOptions o;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view flag = words[i], value = words[i + 1];
    if (flag == "--protocol-fds")
      o.fds = parse_protocol_fds(value);
    else if (flag == "--devices")
      o.device = value;
    else if (flag == "--fault")
      o.faults.push_back(parse_fault_rule(value));
    else if (flag == "--memory")
      o.memory = value;
    else if (flag == "--hello")
      o.hello = value;
    else if (flag == "--version")
      o.version = value;
    else if (flag == "--protocol")
      o.protocol = int(parse_integer(value).value());
    else if (flag == "--late-ms")
      o.late_ms = int(parse_integer(value).value());
    else if (flag == "--answer-us")
      o.answer_us = parse_real(value).value();
    else if (flag == "--seed")
      o.seed = uint64_t(parse_integer(value).value());
    else
      throw UsageError(fmt::format("unknown option {}", flag));
  }
  if (o.device == "none") throw UsageError("there is no device 'none'");
  return o;
}

class FakeWorker {
 public:
  explicit FakeWorker(FakeOptions options) : options_(std::move(options)), channel_(options_.fds) {}

  void serve() {
    while (const auto line = channel_.read_line()) {
      const NumberedRequest request = parse_request(*line);
      if (std::holds_alternative<HelloRequest>(request.request))
        channel_.write_line(format_answer(request.id, hello()));
      else if (const auto* const sample = std::get_if<SampleRequest>(&request.request))
        answer_sample(request.id, *sample);
      else
        channel_.write_line(format_answer(request.id, FailedAnswer{"the fake worker only samples"}));
    }
  }

 private:
  HelloAnswer hello() const {
    if (options_.hello == "crash") std::raise(SIGKILL);
    HelloAnswer answer;
    answer.protocol = options_.protocol;
    answer.worker = "perfatlas-worker-fake";
    answer.device = {options_.device, "fake device", 1e9, 1e6, {{"fake", "1"}}};
    answer.backends = {{options_.hello, options_.version}};
    return answer;
  }

  /// True when the rule hits now; rules with TIMES count their hits in a file, because the process may not survive.
  bool hits(const FaultRule& rule, const std::string& text, uint64_t hash) const {
    if (!applies(rule, text, combine_hashes(hash, options_.seed))) return false;
    if (!rule.times) return true;
    const std::string path = fmt::format("{}/{}-{}", options_.memory, hex16(hash), int(rule.fault));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) throw Error("the --memory folder cannot be written");
    const off_t before = ::lseek(fd, 0, SEEK_END);
    if (before < *rule.times) [[maybe_unused]]
      const ssize_t written = ::write(fd, "x", 1);
    ::close(fd);
    return before < *rule.times;
  }

  /// Faults that leave no answer, or a broken one. True when the answer must not be sent any more.
  bool misbehave(Fault fault, int64_t id, const std::string& honest) {
    switch (fault) {
      case Fault::segv:
        std::signal(SIGSEGV, SIG_DFL);
        std::raise(SIGSEGV);
        return true;
      case Fault::abort:
        std::signal(SIGABRT, SIG_DFL);
        std::raise(SIGABRT);
        return true;
      case Fault::exit:
        std::fputs("cannot go on\n", stderr);
        std::exit(3);
      case Fault::hang:
        std::this_thread::sleep_for(std::chrono::hours{1});
        return true;
      case Fault::garbage:
        channel_.write_line("Segmentation fault (core dumped)");
        return true;
      case Fault::half_line: {
        [[maybe_unused]] const auto written = ::write(options_.fds.out, honest.data(), honest.size() / 2);
        std::_Exit(0);
      }
      case Fault::wrong_id:
        channel_.write_line(format_answer(id + 1000, FailedAnswer{"wrong number"}));
        return true;
      case Fault::late:
        std::this_thread::sleep_for(std::chrono::milliseconds{options_.late_ms});
        return false;
      case Fault::leak:
        leaked_.emplace_back(std::size_t{8} << 20, 'x');
        return false;
      default:
        return false;
    }
  }

  /// Latencies depend on the case alone, within 1 %: the same in every process and run.
  SampleAnswer honest_answer(const SampleRequest& request, uint64_t hash) const {
    SampleAnswer answer;
    answer.kernel_source = request.what.kernel.empty() ? "fake_kernel" : request.what.kernel;
    answer.samples.cache = request.cache;
    const double base_ms = 0.1 + double(hash % 1000) / 100;
    for (int i = 0; i < request.repetitions; ++i)
      answer.samples.latency_ms.push_back(base_ms * (1 + 0.001 * double((hash >> 10) % 7 + uint64_t(i) % 3)));
    return answer;
  }

  void answer_sample(int64_t id, const SampleRequest& request) {
    const std::string& text = request.what.case_text;
    const uint64_t hash = hash64(text);
    if (options_.answer_us > 0)
      std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(options_.answer_us));
    SampleAnswer sample = honest_answer(request, hash);
    WorkerAnswer answer = sample;
    for (const FaultRule& rule : options_.faults) {
      if (!hits(rule, text, hash)) continue;
      if (misbehave(rule.fault, id, format_answer(id, answer))) return;
      distort(rule.fault, sample, answer);
    }
    channel_.write_line(format_answer(id, answer));
  }

  /// Faults inside a well-formed answer.
  void distort(Fault fault, SampleAnswer& sample, WorkerAnswer& answer) {
    auto& latency = sample.samples.latency_ms;
    if (fault == Fault::lie)
      for (double& ms : latency) ms *= 1e-6;
    if (fault == Fault::noise)
      for (size_t i = 0; i < latency.size(); ++i) latency[i] *= i % 2 == 0 ? 1 : 3;
    if (fault == Fault::zero) latency[0] = 0;
    if (fault == Fault::throttle) sample.samples.after.throttle = "thermal";
    if (fault == Fault::other_kernel) sample.kernel_source += std::to_string(++kernels_);
    answer = sample;
    if (fault == Fault::fail) answer = FailedAnswer{"told to fail"};
    if (fault == Fault::skip) answer = SkippedAnswer{"fake_kernel: told to skip"};
  }

  FakeOptions options_;
  ProtocolChannel channel_;
  std::vector<std::string> leaked_;
  int kernels_ = 0;
};

}  // namespace
}  // namespace perfatlas

int main(int count, char** words) {
  try {
    perfatlas::FakeWorker(perfatlas::parse_options(count, words)).serve();
    return 0;
  } catch (const perfatlas::UsageError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
