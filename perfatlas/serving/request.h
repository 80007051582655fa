// SPDX-License-Identifier: Apache-2.0
// One request on its way through a serving system.
#pragma once

#include <cstdint>

namespace perfatlas {

struct ServingRequest {
  int64_t id = 0;        // in order of sending
  double send_ms = 0;    // at the user
  double arrive_ms = 0;  // at the engine
  double first_ms = 0;   // first token leaves the engine
  int64_t input_tokens = 1;
  int64_t output_tokens = 1;
  int64_t prefilled = 0;  // input tokens computed so far
  int32_t rank = 0;       // attention-DP rank it was given to
  int32_t slot = 0;       // llama.cpp: the slot that holds its KV cache
};

/// Time between user and engine.
struct RequestPath {
  double front_ms = 0;            // before the engine sees a request
  double front_ms_per_token = 0;  // of its prompt, in addition
  double back_ms = 0;             // from the engine to the user, for every token
  double front_apart_ms = 0;  // least time between two arrivals: a front end of one thread takes them in turn
  double front(int64_t input_tokens) const { return front_ms + front_ms_per_token * double(input_tokens); }
};

}  // namespace perfatlas
