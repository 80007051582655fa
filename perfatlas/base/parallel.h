// SPDX-License-Identifier: Apache-2.0
// One loop on all processors of the machine.
#pragma once

#include <cstddef>
#include <functional>

namespace perfatlas {

/// Calls work(begin, end) for parts that together are 0 .. count-1, each at least `least` long (but the last), at the same
/// time on different threads, and waits for all. The first exception of a part is thrown again. A count below twice
/// `least`, or a machine of one processor, makes one call on this thread. REQUIRES: parts touch nothing in common;
/// least > 0.
void in_parallel(size_t count, size_t least, const std::function<void(size_t begin, size_t end)>& work);

}  // namespace perfatlas
