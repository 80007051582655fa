// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/serving/constants.h"

namespace perfatlas {
namespace {

constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostSlots = 256;  // LLAMA_MAX_SEQ

/// Takes the options of one engine one by one and remembers which were given.
class LaunchReader {
 public:
  explicit LaunchReader(Launch& launch) : launch_(launch) {}

  void take(std::string_view name, const std::optional<int64_t>& option, int64_t& value, int64_t preset) {
    known_.push_back(name);
    if (option && *option < 1 && !(name == "batch_wait_iters" && *option == 0))
      throw UsageError(fmt::format("{} is {}; it must be at least 1", name, *option));
    value = option.value_or(preset);
    note(name, option.has_value(), value == kUnlimited ? "unlimited" : std::to_string(value));
  }

  void take(std::string_view name, const std::optional<bool>& option, bool& value, bool preset) {
    known_.push_back(name);
    value = option.value_or(preset);
    note(name, option.has_value(), value ? "on" : "off");
  }

  /// Throws when an option was given that no take() asked for.
  void refuse(std::string_view name, bool given) const {
    if (!given || std::find(known_.begin(), known_.end(), name) != known_.end()) return;
    throw UsageError(fmt::format("{} has no {}; its launch parameters here are {}", name_of(launch_.engine),
                                 name, join_words(known_)));
  }

 private:
  void note(std::string_view name, bool given, const std::string& value) {
    (given ? launch_.given : launch_.assumed).push_back(fmt::format("{}={}", name, value));
  }

  Launch& launch_;
  std::vector<std::string_view> known_;
};

/// Defaults of each engine's own documentation (vLLM 0.14, SGLang 0.5, TensorRT-LLM 1.2, llama.cpp server of 2026).
void take_engine_options(Launch& launch, const LaunchOptions& o, LaunchReader& reader) {
  switch (launch.engine) {
    case ServingEngine::vllm:
      reader.take("token_budget", o.token_budget, launch.token_budget, 8192);
      reader.take("max_running", o.max_running, launch.max_running, 1024);
      reader.take("async_scheduling", o.async_scheduling, launch.async_scheduling, false);
      return;
    case ServingEngine::sglang:
      reader.take("token_budget", o.token_budget, launch.token_budget, 8192);
      reader.take("max_running", o.max_running, launch.max_running, kUnlimited);
      reader.take("recv_interval", o.recv_interval, launch.recv_interval, 1);
      reader.take("stream_interval", o.stream_interval, launch.stream_interval, 1);
      return;
    case ServingEngine::trtllm:
      reader.take("token_budget", o.token_budget, launch.token_budget, 8192);
      reader.take("max_running", o.max_running, launch.max_running, 2048);
      reader.take("batch_wait_iters", o.batch_wait_iters, launch.batch_wait_iters, 0);
      return;
    case ServingEngine::llama_cpp:
      reader.take("token_budget", o.token_budget, launch.token_budget, 2048);
      reader.take("max_running", o.max_running, launch.max_running, 4);
      reader.take("micro_batch", o.micro_batch, launch.micro_batch, 512);
      reader.take("unified_kv", o.unified_kv, launch.unified_kv, !o.max_running.has_value());
      return;
  }
}

}  // namespace

Launch make_launch(ServingEngine engine, const LaunchOptions& o) {
  Launch launch;
  launch.engine = engine;
  LaunchReader reader(launch);
  take_engine_options(launch, o, reader);
  reader.refuse("recv_interval", o.recv_interval.has_value());
  reader.refuse("stream_interval", o.stream_interval.has_value());
  reader.refuse("batch_wait_iters", o.batch_wait_iters.has_value());
  reader.refuse("async_scheduling", o.async_scheduling.has_value());
  reader.refuse("micro_batch", o.micro_batch.has_value());
  reader.refuse("unified_kv", o.unified_kv.has_value());
  if (engine == ServingEngine::llama_cpp && launch.max_running > kMostSlots)
    throw UsageError(fmt::format("max_running is {}; llama.cpp's server has at most {} slots",
                                 launch.max_running, kMostSlots));
  if (o.kv_fraction) {
    if (engine == ServingEngine::llama_cpp)
      throw UsageError("llama_cpp has no kv_fraction; its KV cache is as large as its context size");
    if (!(*o.kv_fraction > 0 && *o.kv_fraction <= 1))
      throw UsageError(
          fmt::format("kv_fraction is {}; give a share of the memory above 0 and at most 1", *o.kv_fraction));
    launch.kv_fraction = o.kv_fraction;
    launch.given.push_back(fmt::format("kv_fraction={}", *o.kv_fraction));
  }
  return launch;
}

double Launch::step_overhead_ms() const {
  switch (engine) {
    case ServingEngine::vllm:
      return async_scheduling ? kVllmAsyncStepOverhead.value : kVllmStepOverhead.value;
    case ServingEngine::sglang:
      return kSglangStepOverhead.value;
    case ServingEngine::trtllm:
      return kTrtllmStepOverhead.value;
    case ServingEngine::llama_cpp:
      return 0;  // part of the step prices: its graph overhead is at most 3 % of a step
  }
  return 0;
}

double Launch::reserved_output_share() const {
  return engine == ServingEngine::vllm || engine == ServingEngine::sglang ? 0.5 : 1.0;
}

}  // namespace perfatlas
