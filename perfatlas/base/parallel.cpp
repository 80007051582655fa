// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/base/parallel.h"

#include <algorithm>
#include <exception>
#include <future>
#include <thread>
#include <vector>

namespace perfatlas {

void in_parallel(size_t count, size_t least, const std::function<void(size_t, size_t)>& work) {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  const size_t parts = std::clamp<size_t>(count / least, 1, processors);
  const auto start_of = [&](size_t part) { return count / parts * part + std::min(part, count % parts); };
  std::vector<std::future<void>> others;
  for (size_t part = 1; part < parts; ++part)
    others.push_back(std::async(std::launch::async, work, start_of(part), start_of(part + 1)));
  std::exception_ptr failure;
  const auto guard = [&failure](const auto& step) {
    try {
      step();
    } catch (...) {
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  guard([&] { work(0, start_of(1)); });
  for (std::future<void>& other : others) guard([&] { other.get(); });
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace perfatlas
