// SPDX-License-Identifier: Apache-2.0
// What a profiler recorded: kernels on the device, and the named ranges of the host in which they were launched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace perfatlas {

/// As files have it; times in nanoseconds of one clock, whose origin does not matter.
struct RecordedTrace {
  struct Range {
    std::string name;
    int64_t start_ns = 0, end_ns = 0;
    int64_t thread = 0;
  };
  /// A call that launched kernels: those with the same correlation. A graph launch has several.
  struct Launch {
    int64_t correlation = 0;
    int64_t start_ns = 0;
    int64_t thread = 0;
  };
  struct Kernel {
    std::string name;
    int64_t correlation = 0;
    int64_t duration_ns = 0;
  };
  std::vector<Range> ranges;
  std::vector<Launch> launches;
  std::vector<Kernel> kernels;
};

/// Kernels with the ranges they were launched in.
struct Trace {
  struct Range {
    std::string name;
    std::optional<size_t> parent;  // the range around it
    size_t kernels = 0;            // launched in it and in ranges inside it
  };
  struct Kernel {
    std::string name;
    double duration_us = 0;
    std::optional<size_t>
        range;  // the innermost; none: launched outside of every range, or by an unknown call
  };
  std::vector<Range> ranges;
  std::vector<Kernel> kernels;
};

/// Ranges of one thread nest, as those of a stack do; where they overlap otherwise the later one counts as inner.
Trace assign_kernels(const RecordedTrace& recorded);

/// By content: the SQLite export of Nsight Systems (`nsys export --type sqlite`), or the JSON of the PyTorch profiler
/// and of Chrome's trace viewer. Throws Error naming what the file is or lacks.
RecordedTrace read_trace(const std::string& path);

/// The two readers behind it. Chrome traces: events of category "kernel", launches of "cuda_runtime" and "cuda_driver"
/// by args.correlation, ranges of "user_annotation" and "nvtx"; times in microseconds.
RecordedTrace read_sqlite_trace(const std::string& path);
RecordedTrace read_json_trace(const std::string& path);

}  // namespace perfatlas
