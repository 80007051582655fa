// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/load/load_run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/http/transport.h"
#include "perfatlas/load/stream_events.h"
#include "perfatlas/serving/arrivals.h"

namespace perfatlas {
namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr double kLateMs = 10;
constexpr double kLongestWaitS = 1e6;

/// Host and port alone: the paths are those of the API.
void check_url(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  constexpr int64_t kLastPort = 65535;
  const auto refuse = [&](std::string_view why) {
    throw UsageError(fmt::format("'{}' is no address{}; give one like http://127.0.0.1:8000", url, why));
  };
  if (!url.starts_with(kScheme))
    refuse(url.starts_with("https://") ? " for this client, which has no TLS" : "");
  std::string_view host = std::string_view(url).substr(kScheme.size());
  if (host.ends_with('/')) host.remove_suffix(1);
  if (host.find('/') != std::string_view::npos) refuse(" without a path");
  if (const size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
    const auto port = parse_integer(host.substr(colon + 1));
    if (!port || *port < 1 || *port > kLastPort) refuse(": the port is from 1 to 65535");
    host = host.substr(0, colon);
  }
  if (host.empty()) refuse("");
}

void check_endpoint(const LoadEndpoint& target) {
  check_url(target.url);
  if (target.vocabulary < 2)
    throw UsageError(fmt::format("a vocabulary of {} tokens makes no prompts", target.vocabulary));
  if (!(target.timeout_s > 0 && target.timeout_s <= kLongestWaitS))
    throw UsageError(
        fmt::format("a timeout of {} s; give more than 0 and at most {}", target.timeout_s, kLongestWaitS));
}

/// Tokens that no earlier run has sent, so that no prefix cache answers. `run`: a number of its own for each run.
Json prompt_ids(const LoadEndpoint& target, const ServingRequest& request, uint32_t run) {
  std::mt19937_64 random(uint64_t(run) << 32 | uint64_t(request.id));
  const int64_t least = target.vocabulary > 2000 ? 1000 : target.vocabulary / 2;
  Json ids = Json::array();
  for (int64_t i = 0; i < request.input_tokens; ++i)
    ids.push_back(least + int64_t(random() % uint64_t(std::max<int64_t>(1, target.vocabulary - least))));
  return ids;
}

std::string prompt_words(const ServingRequest& request, uint32_t run) {
  std::string text = fmt::format("{:08x}{} ", run, request.id);
  for (int64_t i = 1; i < request.input_tokens; ++i) text += "word ";
  return text;
}

std::pair<std::string, Json> body_of(const LoadEndpoint& target, const ServingRequest& request,
                                     uint32_t run) {
  switch (target.api) {
    case LoadApi::llama_cpp:
      return {"/completion",
              {{"prompt", prompt_ids(target, request, run)},
               {"n_predict", request.output_tokens},
               {"stream", true},
               {"cache_prompt", false},
               {"ignore_eos", true},
               {"return_tokens", true},
               {"samplers", {"top_k"}},
               {"top_k", 1}}};
    case LoadApi::chat:
      return {"/v1/chat/completions",
              {{"model", target.model},
               {"messages", {{{"role", "user"}, {"content", prompt_words(request, run)}}}},
               {"max_tokens", request.output_tokens},
               {"temperature", 0},
               {"ignore_eos", true},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}}};
    case LoadApi::completions:
      break;
  }
  return {"/v1/completions",
          {{"model", target.model},
           {"prompt", prompt_ids(target, request, run)},
           {"max_tokens", request.output_tokens},
           {"temperature", 0},
           {"ignore_eos", true},
           {"return_token_ids", true},  // a server without a tokenizer streams empty texts
           {"stream", true},
           {"stream_options", {{"include_usage", true}}}}};
}

class LoadRun {
 public:
  LoadRun(const LoadEndpoint& target, const Workload& workload,
          const std::function<void(const LoadedRequest&)>& on_request)
      : target_(target),
        on_request_(on_request),
        arrivals_(workload, {}),
        closed_(workload.is_closed_loop()) {
    check_endpoint(target);
    http_ = open_http_transport();
    const auto* loop = std::get_if<ClosedLoop>(&workload.arrivals);
    connections_ = loop ? loop->users : target.most_connections;
    if (connections_ > kMostConnections)
      throw UsageError(fmt::format("{} users are more than the {} connections that this client can hold",
                                   connections_, kMostConnections));
  }

  LoadResult run() && {
    start_ = Clock::now();
    if (closed_) {
      std::vector<std::thread> users;
      for (int64_t i = 0; i < connections_; ++i) users.emplace_back([this] { serve_user(); });
      for (std::thread& user : users) user.join();
    } else {
      run_open();
    }
    if (!fatal_.empty()) throw Error(fmt::format("{}: {}", target_.url, fatal_));
    return summarise();
  }

 private:
  double now_ms() const { return std::chrono::duration<double, std::milli>(Clock::now() - start_).count(); }

  /// The next request of a user, or nothing at the end. Its own clock is the real one.
  std::optional<ServingRequest> next_of_user() {
    const std::lock_guard lock(mutex_);
    if (!fatal_.empty() || arrivals_.next_ms() == Arrivals::kNever) return std::nullopt;
    return arrivals_.take();
  }

  void serve_user() {
    while (const auto request = next_of_user()) {
      note(send(*request));
      const std::lock_guard lock(mutex_);
      arrivals_.finished(now_ms());
    }
  }

  /// One thread per request under way; threads that have ended are joined as the next one starts.
  void run_open() {
    struct Sender {
      std::thread thread;
      std::shared_ptr<std::atomic<bool>> done;
    };
    std::vector<Sender> senders;
    while (const auto request = next_of_user()) {
      std::this_thread::sleep_until(start_ +
                                    std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double, std::milli>(request->send_ms)));
      const auto reap = [](Sender& sender) {
        if (!*sender.done) return false;
        sender.thread.join();
        return true;
      };
      do {
        senders.erase(std::remove_if(senders.begin(), senders.end(), reap), senders.end());
        if (int64_t(senders.size()) >= connections_)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      } while (int64_t(senders.size()) >= connections_);
      if (now_ms() - request->send_ms > kLateMs) ++result_.late;
      auto done = std::make_shared<std::atomic<bool>>(false);
      senders.push_back({std::thread([this, request = *request, done] {
                           note(send(request));
                           *done = true;
                         }),
                         done});
    }
    for (Sender& sender : senders) sender.thread.join();
  }

  LoadedRequest send(const ServingRequest& request) const {
    LoadedRequest loaded{.id = request.id, .input_tokens = request.input_tokens};
    const auto [path, body] = body_of(target_, request, run_);
    const HttpPost post{target_.url, path, body.dump(), "text/event-stream", target_.key, target_.timeout_s};
    int64_t counted = 0;
    std::string refusal;  // the beginning of a body that is no stream
    StreamEvents events([&](const StreamEvent& event) {
      if (!event.error.empty()) loaded.error = event.error;
      counted = std::max(counted, event.completion_tokens);
      for (int64_t i = 0; i < event.tokens; ++i) loaded.token_ms.push_back(now_ms());
    });
    loaded.send_ms = now_ms();
    const HttpOutcome reply = http_->post(post, [&](std::string_view piece) {
      if (refusal.size() < 300) refusal.append(piece.substr(0, 300));
      events.feed(piece);
    });
    loaded.done_ms = now_ms();
    if (reply.status == 0)
      loaded.error = reply.problem;
    else if (reply.status != 200)
      loaded.error = fmt::format("status {}: {}", reply.status, refusal);
    else if (loaded.error.empty() && loaded.token_ms.empty())
      loaded.error = "the answer has no tokens; is it a stream of this API?";
    loaded.output_tokens = std::max(counted, int64_t(loaded.token_ms.size()));
    if (!loaded.token_ms.empty()) {
      loaded.first_ms = loaded.token_ms.front();
      loaded.done_ms = loaded.token_ms.back();
    }
    return loaded;
  }

  void note(LoadedRequest loaded) {
    const std::lock_guard lock(mutex_);
    if (on_request_) on_request_(loaded);
    if (!loaded.error.empty() && result_.requests.empty()) fatal_ = loaded.error;
    result_.requests.push_back(std::move(loaded));
  }

  LoadResult summarise() {
    Distribution ttft, tpot, latency, gap;
    std::sort(result_.requests.begin(), result_.requests.end(),
              [](const LoadedRequest& a, const LoadedRequest& b) { return a.id < b.id; });
    for (const LoadedRequest& r : result_.requests) {
      result_.duration_ms = std::max(result_.duration_ms, r.done_ms);
      if (!r.error.empty()) {
        ++result_.failed;
        continue;
      }
      result_.output_tokens += double(r.output_tokens);
      ttft.add(r.first_ms - r.send_ms);
      latency.add(r.done_ms - r.send_ms);
      if (r.output_tokens > 1) tpot.add((r.done_ms - r.first_ms) / double(r.output_tokens - 1));
      for (size_t i = 1; i < r.token_ms.size(); ++i) gap.add(r.token_ms[i] - r.token_ms[i - 1]);
    }
    result_.ttft_ms = ttft.summary();
    result_.tpot_ms = tpot.summary();
    result_.latency_ms = latency.summary();
    result_.gap_ms = gap.summary();
    return std::move(result_);
  }

  const LoadEndpoint& target_;
  std::unique_ptr<HttpTransport> http_;
  const std::function<void(const LoadedRequest&)>& on_request_;
  const uint32_t run_ = std::random_device{}();
  std::mutex mutex_;  // of arrivals_, result_ and fatal_
  Arrivals arrivals_;
  bool closed_;
  int64_t connections_ = 1;
  Clock::time_point start_;
  LoadResult result_;
  std::string fatal_;
};

}  // namespace

LoadResult run_load(const LoadEndpoint& target, const Workload& workload,
                    const std::function<void(const LoadedRequest&)>& on_request) {
  check_workload(workload);
  return LoadRun(target, workload, on_request).run();
}

}  // namespace perfatlas
