// SPDX-License-Identifier: Apache-2.0
// How small what surrounds the launches of a sample must be beside them.
#pragma once

namespace perfatlas {

/// Launches of a sample together take at least so many times what a repetition costs beside them: 5 % at most.
inline constexpr double kTimesLaunchCost = 20;

}  // namespace perfatlas
