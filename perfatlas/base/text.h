// SPDX-License-Identifier: Apache-2.0
// Parsing and printing of the small pieces of text that users and files contain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perfatlas {

/// The parts of `text` between separators; always at least one (possibly empty) part.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string_view trim(std::string_view text);

/// Letters of ASCII in lower case.
std::string lower_case(std::string_view text);

/// A decimal integer that fills the whole text, or nothing ("12x", "", "1e3" and overflow are nothing).
std::optional<int64_t> parse_integer(std::string_view text);

/// A finite decimal number that fills the whole text, or nothing ("nan", "inf" and "1.0ms" are nothing).
std::optional<double> parse_real(std::string_view text);

/// Seconds from "90", "90s", "10m", "1.5h" or "250ms"; nothing when malformed or negative.
std::optional<double> parse_duration_s(std::string_view text);

/// "850 ms", "12.3 s", "4 min 10 s", "3 h 05 min".
std::string format_duration(double seconds);

/// Shortest text that reads back as the same double.
std::string format_real(double value);

/// The candidate nearest to `word` by edit distance when it is close enough to be a typing error, else empty.
std::string_view nearest_word(std::string_view word, const std::vector<std::string_view>& candidates);

/// "a, b and c"; for error messages that name what is known.
std::string join_words(const std::vector<std::string_view>& words);

}  // namespace perfatlas
