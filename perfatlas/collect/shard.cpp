// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/shard.h"

#include <fmt/format.h>

#include <optional>
#include <tuple>
#include <utility>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {

Shard parse_shard(std::string_view text) {
  const auto bad = [text] {
    return UsageError(fmt::format(
        "shard '{}' is not i/n with 1 <= i <= n, for example 2/8, or a piece of one, for example 2/8:1/3",
        text));
  };
  const auto part = [&](std::string_view fraction) {
    const auto words = split(fraction, '/');
    const auto index = parse_integer(words[0]);
    const auto count = words.size() == 2 ? parse_integer(words[1]) : std::nullopt;
    if (!index || !count || *index < 1 || *count < *index) throw bad();
    return std::pair(uint64_t(*index) - 1, uint64_t(*count));
  };
  const auto fractions = split(text, ':');
  if (fractions.size() > 2) throw bad();
  Shard shard;
  std::tie(shard.index, shard.count) = part(fractions[0]);
  if (fractions.size() == 2) std::tie(shard.piece, shard.pieces) = part(fractions[1]);
  return shard;
}

std::string format_shard(const Shard& shard) {
  std::string text = fmt::format("{}/{}", shard.index + 1, shard.count);
  if (shard.pieces > 1) text += fmt::format(":{}/{}", shard.piece + 1, shard.pieces);
  return text;
}

}  // namespace perfatlas
