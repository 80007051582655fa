// SPDX-License-Identifier: Apache-2.0
// JSON text to values. A journal of a million records is a gigabyte: texts are looked at eight bytes at a time and
// copied only where escapes make them another text.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "perfatlas/base/flat_json.h"

namespace perfatlas {
namespace {

constexpr uint64_t kEveryByte = 0x0101010101010101, kTopBits = 0x8080808080808080;

/// No byte is a quote, a backslash, a control character or part of a longer UTF-8 sequence. May be false for eight
/// plain bytes, never true for others.
bool all_plain(uint64_t bytes) {
  const uint64_t quotes = bytes ^ kEveryByte * '"', backslashes = bytes ^ kEveryByte * '\\';
  const uint64_t odd =
      bytes | (bytes - kEveryByte * 0x20) | (quotes - kEveryByte) | (backslashes - kEveryByte);
  return (odd & kTopBits) == 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Bytes of the UTF-8 sequence at `at`, or 0 where none is: overlong forms, surrogates and numbers beyond U+10FFFF are
/// none (Unicode 15.0, table 3-7).
size_t utf8_bytes(const char* at, const char* end) {
  const auto byte = [&](size_t i) { return at + i < end ? uint8_t(at[i]) : uint8_t{0}; };
  const auto follows = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF)
    return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
  if (first >= 0xF0 && first <= 0xF4)
    return follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3)
               ? 4
               : 0;
  return 0;
}

/// Writes a code point as UTF-8; returns the end.
char* put_utf8(uint32_t code, char* to) {
  if (code < 0x80) {
    *to++ = char(code);
    return to;
  }
  const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<uint32_t, 4> kLead = {0, 0xC0, 0xE0, 0xF0};
  *to++ = char(kLead[size_t(more)] | code >> (6 * more));
  for (int i = more; i-- > 0;) *to++ = char(0x80 | (code >> (6 * i) & 0x3F));
  return to;
}

}  // namespace

class FlatJson::Scanner {
 public:
  Scanner(FlatJson& into, std::string_view text)
      : into_(into), begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  void scan() {
    value();
    while (!into_.open_.empty()) member();
    skip_blanks();
    if (at_ != end_) refuse("nothing more");
  }

 private:
  [[noreturn]] void refuse(std::string_view expected) const {
    throw FlatJsonError(fmt::format("no JSON: {} expected at byte {}", expected, at_ - begin_ + 1));
  }
  char peek() const { return at_ < end_ ? *at_ : '\0'; }
  void skip_blanks() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  void expect(char c) {
    if (peek() != c) refuse(fmt::format("'{}'", c));
    ++at_;
  }

  /// What comes next in the innermost object or list: its end, or one more value.
  void member() {
    const uint32_t container = into_.open_.back();
    const bool is_object = into_.values_[container].kind == Kind::object;
    skip_blanks();
    if (peek() == (is_object ? '}' : ']')) {
      ++at_;
      into_.values_[container].end = uint32_t(into_.values_.size());
      into_.open_.pop_back();
      return;
    }
    if (into_.values_.size() > container + 1) expect(',');
    if (is_object) {
      skip_blanks();
      name_ = text();
      skip_blanks();
      expect(':');
    }
    value();
  }

  void value() {
    skip_blanks();
    switch (peek()) {
      case '{':
        return open(Kind::object);
      case '[':
        return open(Kind::list);
      case '"': {
        Value& added = add(Kind::text);
        added.text = text();
        return;
      }
      case 't':
        word("true");
        add(Kind::truth).truth = true;
        return;
      case 'f':
        word("false");
        add(Kind::truth).truth = false;
        return;
      case 'n':
        word("null");
        add(Kind::null);
        return;
      default:
        return number();
    }
  }

  Value& add(Kind kind) {
    Value& value = into_.values_.emplace_back();
    value.name_begin = name_.data();
    value.name_size = uint32_t(name_.size());
    value.kind = kind;
    value.end = uint32_t(into_.values_.size());
    name_ = {};
    return value;
  }
  void open(Kind kind) {
    ++at_;
    into_.open_.push_back(uint32_t(into_.values_.size()));
    add(kind);
  }
  void word(std::string_view expected) {
    if (!std::string_view(at_, size_t(end_ - at_)).starts_with(expected)) refuse(expected);
    at_ += expected.size();
  }

  void digits() {
    if (!is_digit(peek())) refuse("a digit");
    while (is_digit(peek())) ++at_;
  }
  void number() {
    const char* const begin = at_;
    if (peek() == '-') ++at_;
    if (!is_digit(peek())) refuse("a value");
    if (*at_ == '0')
      ++at_;
    else
      digits();
    bool whole = true;
    if (peek() == '.') {
      ++at_;
      digits();
      whole = false;
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
      whole = false;
    }
    if (whole && whole_number(begin)) return;
    add(Kind::real).real = real_number(begin);
  }
  /// False when it is too large for 64 bits.
  bool whole_number(const char* begin) {
    if (*begin == '-') {
      int64_t value = 0;
      if (std::from_chars(begin, at_, value).ec != std::errc()) return false;
      add(Kind::integer).integer = value;
    } else {
      uint64_t value = 0;
      if (std::from_chars(begin, at_, value).ec != std::errc()) return false;
      add(Kind::natural).natural = value;
    }
    return true;
  }
  double real_number(const char* begin) const {
    double value = 0;
    if (std::from_chars(begin, at_, value).ec == std::errc()) return value;
    value = std::strtod(std::string(begin, at_).c_str(), nullptr);  // tells too large from too small
    if (!std::isfinite(value)) refuse("a number within the limits of a double");
    return value;
  }

  /// A text in quotes, without them.
  std::string_view text() {
    expect('"');
    const char* const begin = at_;
    plain();
    if (peek() == '"') return {begin, size_t(at_++ - begin)};
    char* const to = into_.texts_.get() + into_.used_;
    char* out = std::copy(begin, at_, to);
    while (peek() != '"') {
      if (peek() != '\\') refuse("an escape or the end of a text");
      ++at_;
      out = escape(out);
      const char* const more = at_;
      plain();
      out = std::copy(more, at_, out);
    }
    ++at_;
    into_.used_ += size_t(out - to);
    return {to, size_t(out - to)};
  }
  /// Passes over what stands for itself.
  void plain() {
    while (true) {
      uint64_t bytes = 0;
      while (size_t(end_ - at_) >= sizeof bytes) {
        std::memcpy(&bytes, at_, sizeof bytes);
        if (!all_plain(bytes)) break;
        at_ += sizeof bytes;
      }
      // Up to the next eight bytes that may be plain.
      for (int i = 0; i < 8; ++i) {
        const char c = peek();
        if (c == '"' || c == '\\') return;
        if (uint8_t(c) < 0x20) refuse("no control character in a text, and its end");
        const size_t length = utf8_bytes(at_, end_);
        if (length == 0) refuse("UTF-8");
        at_ += length;
      }
    }
  }
  /// What stands behind a backslash; returns the end of what it means.
  char* escape(char* out) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    const char name = peek();
    if (const size_t which = kNames.find(name); name != '\0' && which != kNames.npos) {
      ++at_;
      *out++ = kMeanings[which];
      return out;
    }
    expect('u');
    uint32_t code = four_digits();
    if (code >= 0xDC00 && code <= 0xDFFF) refuse("the first half of a surrogate pair");
    if (code >= 0xD800 && code <= 0xDBFF) {
      expect('\\');
      expect('u');
      const uint32_t low = four_digits();
      if (low < 0xDC00 || low > 0xDFFF) refuse("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_utf8(code, out);
  }
  uint32_t four_digits() {
    uint32_t code = 0;
    const char* const stop = at_ + std::min<ptrdiff_t>(4, end_ - at_);
    if (std::from_chars(at_, stop, code, 16).ptr != at_ + 4) refuse("four hexadecimal digits");
    at_ += 4;
    return code;
  }

  FlatJson& into_;
  const char* const begin_;
  const char* at_;
  const char* const end_;
  std::string_view name_;  // of the next value
};

void FlatJson::scan(std::string_view text) {
  values_.clear();
  open_.clear();
  used_ = 0;
  if (room_ < text.size()) {  // no escape is shorter than what it means
    room_ = std::max(text.size(), 2 * room_);
    texts_ = std::make_unique<char[]>(room_);
  }
  Scanner(*this, text).scan();
}

}  // namespace perfatlas
