// SPDX-License-Identifier: Apache-2.0
// The vocabulary of the interpolation engines: measured points on integer axes, and what can be said between them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

namespace perfatlas {

inline constexpr size_t kMaxAxes = 4;

/// The position of a point on the axes of its op, outermost first; entries beyond the op's axes are 0.
using Coordinates = std::array<int64_t, kMaxAxes>;

struct CoordinatesHash {
  size_t operator()(const Coordinates& at) const {
    uint64_t hash = 0;
    for (const int64_t c : at) hash = (hash ^ uint64_t(c)) * 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
    return size_t(hash ^ (hash >> 32));
  }
};

/// One measured point of a slice.
struct MeasuredPoint {
  Coordinates at{};
  double latency_ms = 0;            // REQUIRES: >= 0
  std::optional<double> energy_mj;  // per launch; absent when unknown
};

/// The speed of light in milliseconds at any coordinates; 0 or less when it is unknown there. An empty function
/// means that nothing is known about the machine: then nothing is answered beyond the data.
using SolFunction = std::function<double(const Coordinates&)>;

enum class EstimateKind {
  miss,          // nothing can be said; miss_reason says why
  exact,         // the point was measured
  interpolated,  // between measured points on every axis
  held,          // beyond the data, or across a hole in it: the efficiency of the nearest points is kept
};

/// "miss", "exact", "interpolated" or "held".
std::string_view name_of(EstimateKind kind);

/// One measured point behind an estimate.
struct Support {
  uint32_t point = 0;  // index into the points the interpolator was made from
  double weight = 0;   // share of this point; the shares sum to 1
};

/// 2 per axis.
inline constexpr size_t kMaxSupport = size_t{1} << kMaxAxes;

/// What an interpolator answers. A plain value without heap memory, because it is made a million times per search.
struct Estimate {
  EstimateKind kind = EstimateKind::miss;
  double latency_ms = 0;
  std::optional<double> energy_mj;  // absent when a supporting point has none
  double distance = 0;  // octaves (Euclid in log2 of the coordinates) to the nearest supporting point
  std::string_view miss_reason;  // a text that lives as long as the program

  std::span<const Support> support() const { return {supports.data(), support_count}; }

  std::array<Support, kMaxSupport> supports{};
  size_t support_count = 0;
};

/// Octaves between two positions over the first `axes` axes; coordinates below 1e-12 count as 1e-12.
double octaves_between(const Coordinates& a, const Coordinates& b, size_t axes);

}  // namespace perfatlas
