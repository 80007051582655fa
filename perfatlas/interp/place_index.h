// SPDX-License-Identifier: Apache-2.0
// Which of a list of places is this one? Loading a table asks that for every row: a list beside the places costs no
// allocation per place, unlike a map of them.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "perfatlas/interp/estimate.h"

namespace perfatlas {

/// Open addressing over the numbers of places that the caller keeps.
class PlaceIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// Room for `expected` places; grows when there are more.
  explicit PlaceIndex(size_t expected = 8) : slots_(std::bit_ceil(2 * expected + 2), kNone) {}

  /// The number of `place`, or kNone. `place_of(i)` is the place with number i.
  template <class PlaceOf>
  uint32_t find(const Coordinates& place, const PlaceOf& place_of) const {
    return slots_[slot_of(place, place_of)];
  }

  /// The number of `place`: when it is new the next one, which place_of has to know from now on.
  template <class PlaceOf>
  uint32_t add(const Coordinates& place, const PlaceOf& place_of) {
    size_t slot = slot_of(place, place_of);
    if (slots_[slot] != kNone) return slots_[slot];
    if (2 * (count_ + 1) > slots_.size()) {
      grow(place_of);
      slot = slot_of(place, place_of);
    }
    return slots_[slot] = count_++;
  }

 private:
  /// Where `place` is, or the free slot where it belongs.
  template <class PlaceOf>
  size_t slot_of(const Coordinates& place, const PlaceOf& place_of) const {
    size_t slot = CoordinatesHash{}(place) & (slots_.size() - 1);
    while (slots_[slot] != kNone && place_of(slots_[slot]) != place) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  template <class PlaceOf>
  void grow(const PlaceOf& place_of) {
    slots_.assign(2 * slots_.size(), kNone);
    for (uint32_t i = 0; i < count_; ++i) slots_[slot_of(place_of(i), place_of)] = i;
  }

  std::vector<uint32_t> slots_;  // a power of two of them, at most half in use
  uint32_t count_ = 0;
};

}  // namespace perfatlas
