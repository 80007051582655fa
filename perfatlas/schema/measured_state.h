// SPDX-License-Identifier: Apache-2.0
// The two circumstances of a measurement that are part of a row's identity.
#pragma once

#include <optional>
#include <string_view>

#include "perfatlas/schema/dtype.h"

namespace perfatlas {

/// Where the bytes of a launch are found. Never mixed in one table slice (docs/measuring.md).
enum class CacheState {
  serving,  // weights and KV cache from memory, activations warm: as inside a real step
  hot,      // the same buffers again and again
  cold,     // everything evicted before every launch
};

/// How launches reached the device.
enum class LaunchMode {
  graph,   // many launches captured in one device graph
  eager,   // one by one on a stream
  direct,  // a plain function call (CPU)
};

template <>
inline constexpr auto kEnumNames<CacheState> =
    std::array{EnumName<CacheState>{CacheState::serving, "serving"},
               EnumName<CacheState>{CacheState::hot, "hot"}, EnumName<CacheState>{CacheState::cold, "cold"}};

template <>
inline constexpr auto kEnumNames<LaunchMode> = std::array{EnumName<LaunchMode>{LaunchMode::graph, "graph"},
                                                          EnumName<LaunchMode>{LaunchMode::eager, "eager"},
                                                          EnumName<LaunchMode>{LaunchMode::direct, "direct"}};

/// The enumerator of a written name, or nothing.
template <class E>
std::optional<E> from_name(std::string_view name) {
  for (const auto& entry : kEnumNames<E>)
    if (entry.name == name) return entry.value;
  return std::nullopt;
}

}  // namespace perfatlas
