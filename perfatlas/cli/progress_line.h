// SPDX-License-Identifier: Apache-2.0
// The live line of a running collection.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "perfatlas/collect/supervisor.h"

namespace perfatlas {

/// On a terminal: one line, redrawn at most ten times a second. Elsewhere: a line every ten seconds. Events (a worker
/// died, an op was given up) are lines of their own above it.
class ProgressLine : public CollectObserver {
 public:
  explicit ProgressLine(std::FILE* out);
  void on_progress(const Progress& progress) override;
  void on_event(const std::string& line) override { say(line); }

  /// A line of its own.
  void say(const std::string& line);
  /// Removes the live line.
  void finish();

 private:
  void clear();
  /// Nobody may be reading any more: measuring goes on all the same.
  void put(const std::string& text);
  std::FILE* out_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

/// "[ 132/1104 12%] 0 failed, ETA 41 s, gemm m=16 n=4096 k=1024"; cut to `width` columns.
std::string progress_text(const Progress& progress, size_t width);

}  // namespace perfatlas
