// SPDX-License-Identifier: Apache-2.0
// What of a prompt a rank computes when several share it, and what of a prompt is left to compute after cached tokens.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "perfatlas/aic/ground.h"
#include "perfatlas/aic/phase_point.h"
#include "perfatlas/aic/price.h"
#include "perfatlas/aic/surface.h"

namespace perfatlas::aic {

/// Head and tail chunk of the new tokens of a prompt that `cp_size` ranks share, so that every rank has as many
/// query-key pairs; each is a point of its own. REQUIRES: cp_size > 1.
inline std::array<PhasePoint, 2> zigzag_chunks(const PhasePoint& at, int64_t cp_size) {
  PhasePoint head = at, tail = at;
  head.s = tail.s = (at.s + 2 * cp_size - 1) / (2 * cp_size);
  tail.prefix += at.s - tail.s;
  return {head, tail};
}

/// The price of what a rank computes: chunk(point) of the whole prompt, or the sum over its two chunks.
template <class Chunk>
Price over_chunks(const PhasePoint& at, int64_t cp_size, Chunk chunk) {
  if (cp_size <= 1) return chunk(at);
  const auto [head, tail] = zigzag_chunks(at, cp_size);
  Price price = chunk(head);
  price += chunk(tail);
  return price;
}

/// A table over (heads, isl, batch) without cached tokens, asked at isl + prefix: the new tokens' share of its
/// query-key pairs, (full^2 - prefix^2) / full^2.
inline Price price_after_prefix(const Surface& surface, int64_t heads, const PhasePoint& at) {
  const int64_t full = at.s + at.prefix;
  Price price = surface.price({heads, full, at.batch});
  const double all = double(full) * double(full);
  price *= (all - double(at.prefix) * double(at.prefix)) / all;
  return price;
}

/// The rows behind price_after_prefix() over all chunks.
inline Ground ground_after_prefix(const Surface& surface, int64_t heads, const PhasePoint& at,
                                  int64_t cp_size) {
  std::vector<Ground> chunks;
  over_chunks(at, cp_size, [&](const PhasePoint& chunk) {
    chunks.push_back(surface.ground({heads, chunk.s + chunk.prefix, chunk.batch}));
    return Price{};
  });
  return combined(chunks);
}

}  // namespace perfatlas::aic
