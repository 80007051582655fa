// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/timeline.h"

#include <fmt/format.h>

namespace perfatlas {

Timeline::Timeline(const std::string& path) : file_(path) { file_.write("[\n"); }

void Timeline::ran(const Segment& s) {
  if (bars_ >= kMostBars) {
    ++left_out_;
    return;
  }
  const char* name = s.prompt_tokens == 0 ? "decode" : s.decodes == 0 ? "prompts" : "prompts + decode";
  // Times of the format are microseconds.
  file_.write(
      fmt::format("{}{{\"name\":\"{}\",\"ph\":\"X\",\"pid\":1,\"tid\":{},\"ts\":{:.3f},\"dur\":{:.3f},"
                  "\"args\":{{\"steps\":{},\"prompt_tokens\":{},\"decodes\":{}}}}},\n"
                  "{{\"name\":\"requests\",\"ph\":\"C\",\"pid\":1,\"ts\":{:.3f},"
                  "\"args\":{{\"decoding\":{},\"waiting\":{}}}}}",
                  bars_ == 0 ? "" : ",\n", name, s.worker, s.start_ms * 1000, s.duration_ms * 1000, s.steps,
                  s.prompt_tokens, s.decodes, s.start_ms * 1000, s.decodes, s.waiting));
  ++bars_;
}

void Timeline::close() {
  file_.write("\n]\n");
  file_.commit();
}

}  // namespace perfatlas
