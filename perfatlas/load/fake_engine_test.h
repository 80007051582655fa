// SPDX-License-Identifier: Apache-2.0
// A small server that streams as serving engines do, for tests of clients.
#pragma once

#include <httplib.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace perfatlas {

/// Streams as many tokens as asked, with a pause of kPauseMs before each.
class FakeEngine {
 public:
  static constexpr int kPauseMs = 2;

  FakeEngine() {
    http_.Post("/v1/completions", [this](const auto& request, auto& response) {
      const auto body = nlohmann::json::parse(request.body);
      stream(response, body.at("max_tokens"), body.at("prompt"), [body](int64_t i) {
        if (body.value("return_token_ids", false))  // as a server without a tokenizer
          return nlohmann::json{{"choices", {{{"text", ""}, {"token_ids", {i}}}}}};
        return nlohmann::json{{"choices", {{{"text", ""}}}}};
      });
    });
    http_.Post("/v1/chat/completions", [this](const auto& request, auto& response) {
      const auto body = nlohmann::json::parse(request.body);
      stream(response, body.at("max_tokens"), body.at("messages"), [](int64_t) {
        return nlohmann::json{{"choices", {{{"delta", {{"content", "x"}}}}}}};
      });
    });
    http_.Post("/completion", [this](const auto& request, auto& response) {
      const auto body = nlohmann::json::parse(request.body);
      stream(response, body.at("n_predict"), body.at("prompt"), [](int64_t i) {
        return nlohmann::json{{"content", ""}, {"tokens", {i}}, {"stop", false}};
      });
    });
    http_.new_task_queue = [] { return new httplib::ThreadPool(16); };
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
    while (!http_.is_running()) std::this_thread::yield();  // stop() does nothing before that
  }
  ~FakeEngine() {
    http_.stop();
    thread_.join();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int most_at_once() const { return most_; }
  int64_t prompt_tokens() const { return prompt_tokens_; }
  size_t different_prompts() const { return prompts_.size(); }

 private:
  template <class Event>
  void stream(httplib::Response& response, int64_t tokens, const nlohmann::json& prompt, Event event) {
    prompt_tokens_ += int64_t(prompt.size());
    {
      const std::lock_guard lock(mutex_);
      prompts_.insert(prompt.dump());
    }
    const int now = ++at_once_;
    for (int most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
    response.set_chunked_content_provider(
        "text/event-stream", [this, tokens, event](size_t, httplib::DataSink& sink) {
          for (int64_t i = 0; i < tokens; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(kPauseMs));
            const std::string line = "data: " + event(i).dump() + "\n\n";
            sink.write(line.data(), line.size());
          }
          --at_once_;  // before the end is sent: the user may answer it with the next request
          const std::string end = "data: [DONE]\n\n";
          sink.write(end.data(), end.size());
          sink.done();
          return true;
        });
  }

  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
  std::atomic<int> at_once_{0}, most_{0};
  std::atomic<int64_t> prompt_tokens_{0};
  std::mutex mutex_;  // of prompts_
  std::set<std::string> prompts_;
};

}  // namespace perfatlas
