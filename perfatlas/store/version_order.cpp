// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/version_order.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

struct Version {
  std::vector<int64_t> release;                 // without trailing zeros
  std::vector<std::pair<int, int64_t>> phases;  // (rank, number), ended by (0, 0)
};

struct Phase {
  std::string_view word;
  int rank;  // below 0: before the release
};
constexpr std::array<Phase, 12> kPhases{{{"dev", -4},
                                         {"a", -3},
                                         {"alpha", -3},
                                         {"b", -2},
                                         {"beta", -2},
                                         {"rc", -1},
                                         {"c", -1},
                                         {"pre", -1},
                                         {"preview", -1},
                                         {"post", 1},
                                         {"rev", 1},
                                         {"r", 1}}};

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_separator(char c) { return c == '.' || c == '-' || c == '_'; }

/// The leading characters of `text` that satisfy `is`; `text` continues after them.
template <class Is>
std::string_view take(std::string_view& text, Is is) {
  const auto end = std::find_if_not(text.begin(), text.end(), is);
  const std::string_view taken = text.substr(0, size_t(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

std::optional<Version> parse(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  Version version;
  while (!text.empty() && is_digit(text[0])) {
    const auto number = parse_integer(take(text, is_digit));
    if (!number) return std::nullopt;
    version.release.push_back(*number);
    if (text.size() > 1 && text[0] == '.' && is_digit(text[1]))
      text.remove_prefix(1);
    else
      break;
  }
  if (version.release.empty()) return std::nullopt;
  while (!version.release.empty() && version.release.back() == 0) version.release.pop_back();
  while (!text.empty()) {
    take(text, is_separator);
    const std::string_view word = take(text, is_letter);
    const auto phase =
        std::find_if(kPhases.begin(), kPhases.end(), [&](const Phase& p) { return p.word == word; });
    if (phase == kPhases.end()) return std::nullopt;
    take(text, is_separator);
    const std::string_view digits = take(text, is_digit);
    const auto number = digits.empty() ? std::optional<int64_t>(0) : parse_integer(digits);
    if (!number) return std::nullopt;
    version.phases.emplace_back(phase->rank, *number);
  }
  version.phases.emplace_back(0, 0);
  return version;
}

}  // namespace

bool is_version(std::string_view name) { return parse(name.substr(0, name.find('+'))).has_value(); }

bool older_version(std::string_view a, std::string_view b) {
  const size_t plus_a = std::min(a.find('+'), a.size()), plus_b = std::min(b.find('+'), b.size());
  const auto left = parse(a.substr(0, plus_a)), right = parse(b.substr(0, plus_b));
  if (!left || !right) return left.has_value() == right.has_value() ? a < b : right.has_value();
  if (left->release != right->release) return left->release < right->release;
  if (left->phases != right->phases) return left->phases < right->phases;
  return a.substr(plus_a) < b.substr(plus_b);
}

}  // namespace perfatlas
