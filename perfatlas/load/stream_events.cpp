// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/load/stream_events.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace perfatlas {
namespace {

using Json = nlohmann::json;

int64_t list_size(const Json& parent, const char* key) {
  const auto found = parent.find(key);
  return found != parent.end() && found->is_array() ? int64_t(found->size()) : 0;
}

bool has_text(const Json& parent, const char* key) {
  const auto found = parent.find(key);
  return found != parent.end() && found->is_string() && !found->get_ref<const std::string&>().empty();
}

/// Tokens of one choice of the OpenAI formats, or of a llama.cpp event.
int64_t tokens_in(const Json& piece) {
  const int64_t ids = std::max(list_size(piece, "token_ids"), list_size(piece, "tokens"));
  if (ids > 0) return ids;
  const auto delta = piece.find("delta");
  const bool chat = delta != piece.end() && delta->is_object();
  return has_text(piece, "text") || has_text(piece, "content") || (chat && has_text(*delta, "content")) ||
         (chat && has_text(*delta, "reasoning_content"));
}

StreamEvent read_event(const Json& json) {
  StreamEvent event;
  if (const auto error = json.find("error"); error != json.end()) {
    event.error =
        error->is_object() && error->contains("message") ? error->at("message").dump() : error->dump();
    return event;
  }
  if (const auto choices = json.find("choices"); choices != json.end() && choices->is_array())
    for (const Json& choice : *choices) event.tokens += choice.is_object() ? tokens_in(choice) : 0;
  else
    event.tokens = tokens_in(json);
  if (const auto usage = json.find("usage"); usage != json.end() && usage->is_object())
    event.completion_tokens = usage->value("completion_tokens", int64_t(0));
  event.last = json.value("stop", Json(false)) == Json(true);
  return event;
}

}  // namespace

void StreamEvents::feed(std::string_view bytes) {
  rest_ += bytes;
  size_t begin = 0;
  for (size_t end; (end = rest_.find('\n', begin)) != std::string::npos; begin = end + 1)
    line(std::string_view(rest_).substr(begin, end - begin));
  rest_.erase(0, begin);
}

void StreamEvents::line(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (!text.starts_with("data:")) return;
  text.remove_prefix(5);
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text == "[DONE]") return on_event_({.last = true});
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) on_event_(read_event(json));
}

}  // namespace perfatlas
