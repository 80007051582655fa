// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace perfatlas {

size_t processors() { return std::max(1u, std::thread::hardware_concurrency()); }

void on_threads(size_t threads, size_t count, const std::function<void(size_t, size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&](size_t thread) {
    try {
      for (size_t i = next++; i < count; i = next++) work(thread, i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (size_t thread = 1; thread < std::min(threads, count); ++thread) others.emplace_back(run, thread);
  run(0);
  for (std::thread& other : others) other.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

void for_each_parallel(size_t count, const std::function<void(size_t)>& work) {
  on_threads(processors(), count, [&](size_t, size_t i) { work(i); });
}

void in_parallel(size_t count, size_t least, const std::function<void(size_t, size_t)>& work) {
  const size_t parts = std::clamp<size_t>(count / least, 1, processors());
  const auto start_of = [&](size_t part) { return count / parts * part + std::min(part, count % parts); };
  on_threads(parts, parts, [&](size_t, size_t part) { work(start_of(part), start_of(part + 1)); });
}

}  // namespace perfatlas
