// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/json_members.h"

namespace perfatlas::aic {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

  /// A text between quotes; `escaped`: whether it has a backslash. False when it has no end.
  bool take_text(std::string_view& found, bool& escaped) {
    if (!take('"')) return false;
    const size_t first = at_;
    escaped = false;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        found = text_.substr(first, at_++ - first);
        return true;
      }
      if (text_[at_] == '\\') {
        escaped = true;
        ++at_;
      }
    }
    return false;
  }

  /// A value of any kind, up to the comma or bracket that follows it on its own level.
  bool take_value(std::string_view& found) {
    skip_space();
    const size_t first = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        std::string_view ignored;
        bool escaped = false;
        if (!take_text(ignored, escaped)) return false;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}')) break;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      if (depth < 0) return false;
      ++at_;
    }
    size_t last = at_;
    while (last > first && text_[last - 1] == ' ') --last;
    found = text_.substr(first, last - first);
    return depth == 0 && !found.empty();
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

bool json_members(std::string_view text, std::vector<JsonMember>& members) {
  members.clear();
  Scanner scan(text);
  if (!scan.take('{')) return false;
  if (scan.take('}')) return scan.at_end();
  do {
    JsonMember member;
    bool escaped = false;
    if (!scan.take_text(member.name, escaped) || escaped || !scan.take(':') || !scan.take_value(member.text))
      return false;
    members.push_back(member);
  } while (scan.take(','));
  return scan.take('}') && scan.at_end();
}

}  // namespace perfatlas::aic
