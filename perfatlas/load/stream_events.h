// SPDX-License-Identifier: Apache-2.0
// Server-sent events of streaming completions: which pieces of a stream are tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace perfatlas {

/// What one event says.
struct StreamEvent {
  int64_t tokens = 0;             // output tokens in it: 0 for a role or a usage report
  int64_t completion_tokens = 0;  // total so far by the server's own count; 0: not said
  bool last = false;
  std::string error;
};

/// Cuts a byte stream into events ("data: ..." lines) and reads each: the JSON of OpenAI's completions and chat
/// completions, of llama.cpp's /completion, and the final [DONE]. Events with a list of token ids count that many
/// tokens; others with a text count one.
class StreamEvents {
 public:
  explicit StreamEvents(std::function<void(const StreamEvent&)> on_event) : on_event_(std::move(on_event)) {}
  void feed(std::string_view bytes);

 private:
  void line(std::string_view text);

  std::function<void(const StreamEvent&)> on_event_;
  std::string rest_;
};

}  // namespace perfatlas
