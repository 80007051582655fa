// SPDX-License-Identifier: Apache-2.0
// Sends requests to a serving endpoint as a workload says and measures what its users would see.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "perfatlas/schema/dtype.h"
#include "perfatlas/serving/distribution.h"
#include "perfatlas/serving/workload.h"

namespace perfatlas {

enum class LoadApi {
  completions,  // POST /v1/completions, prompts as token ids
  chat,         // POST /v1/chat/completions, prompts as words
  llama_cpp,    // POST /completion of llama.cpp's server, prompts as token ids
};

template <>
inline constexpr auto kEnumNames<LoadApi> =
    std::array{EnumName<LoadApi>{LoadApi::completions, "completions"},
               EnumName<LoadApi>{LoadApi::chat, "chat"}, EnumName<LoadApi>{LoadApi::llama_cpp, "llama_cpp"}};

/// Users of a closed loop, and requests under way of an open one: a thread each.
inline constexpr int64_t kMostConnections = 4096;

struct LoadEndpoint {
  std::string url;  // "http://127.0.0.1:8000": host and port
  LoadApi api = LoadApi::completions;
  std::string model;  // as the endpoint calls it
  std::string key;    // bearer token; may be empty
  int64_t vocabulary =
      32000;  // prompt token ids are drawn from [1000, vocabulary), or the upper half of small ones
  double timeout_s = 600;           // of one request
  int64_t most_connections = 1024;  // open loops: requests under way at once
};

/// One finished or failed request. Times in milliseconds from the start of the run.
struct LoadedRequest {
  int64_t id = 0;
  int64_t input_tokens = 0, output_tokens = 0;  // sent; received
  double send_ms = 0, first_ms = 0, done_ms = 0;
  std::vector<double> token_ms;  // arrival of every token
  std::string error;             // empty: it was answered
};

struct LoadResult {
  std::vector<LoadedRequest> requests;           // in order of their ids
  Summary ttft_ms, tpot_ms, latency_ms, gap_ms;  // gap: between tokens of one request
  int64_t failed = 0;
  double duration_ms = 0;
  double output_tokens = 0;
  int64_t late = 0;  // open loops: requests that were sent more than 10 ms after their time
};

/// Blocks until all requests are answered. Failed requests are values; when the first one fails, throws Error with the
/// endpoint's words, or when there is no HTTP plug-in (http/transport.h). Throws UsageError for an address that is no
/// http URL of host and port, a vocabulary below 2, a timeout that is not positive, and more than kMostConnections
/// users.
LoadResult run_load(const LoadEndpoint& target, const Workload& workload,
                    const std::function<void(const LoadedRequest&)>& on_request = {});

}  // namespace perfatlas
