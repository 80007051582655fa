// SPDX-License-Identifier: Apache-2.0
// One loop on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace perfatlas {

/// How many threads run at once on this machine; at least 1.
size_t processors();

/// Calls work(thread, i) once for every i below `count`, on at most `threads` threads (this one is thread 0): who is
/// free takes the next i. Waits for all. A thread ends with its first exception; the first of all is thrown again.
/// REQUIRES: threads > 0.
void on_threads(size_t threads, size_t count, const std::function<void(size_t thread, size_t i)>& work);

/// The same on all processors, for work that need not know its thread.
void for_each_parallel(size_t count, const std::function<void(size_t i)>& work);

/// Calls work(begin, end) for parts that together are 0 .. count-1, each at least `least` long (but the last), at the
/// same time on different threads, and waits for all. The first exception of a part is thrown again. A count below
/// twice `least`, or a machine of one processor, makes one call on this thread. REQUIRES: parts touch nothing in
/// common; least > 0.
void in_parallel(size_t count, size_t least, const std::function<void(size_t begin, size_t end)>& work);

}  // namespace perfatlas
