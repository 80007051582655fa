// SPDX-License-Identifier: Apache-2.0
// A simulated run as a Chrome trace (JSON array format), which Perfetto and chrome://tracing open.
#pragma once

#include <string>

#include "perfatlas/base/file.h"
#include "perfatlas/serving/simulation.h"

namespace perfatlas {

/// Writes while the simulation runs. Lanes: one per worker with its steps (runs of equal decode steps are one bar), and
/// counters of running and waiting requests. Bars beyond kMostBars are counted, not written.
class Timeline : public SimulationObserver {
 public:
  static constexpr int64_t kMostBars = 500'000;

  /// Throws Error when the file cannot be created.
  explicit Timeline(const std::string& path);
  void ran(const Segment& segment) override;
  /// Ends the file. Throws Error when it cannot be written.
  void close();
  int64_t left_out() const { return left_out_; }

 private:
  AtomicFile file_;
  int64_t bars_ = 0, left_out_ = 0;
};

}  // namespace perfatlas
