// SPDX-License-Identifier: Apache-2.0
// For tests: what the streams of FakeRuntime point to, so that stand-in libraries enqueue as the real ones do.
#pragma once

#include <functional>

namespace perfatlas {

class FakeStream {
 public:
  virtual ~FakeStream() = default;
  /// Runs `work` now, or at every launch of the graph that is being captured.
  virtual void take(std::function<void()> work) = 0;
};

}  // namespace perfatlas
