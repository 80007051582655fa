// SPDX-License-Identifier: Apache-2.0
// The worker protocol as values. On the wire: one JSON object per line in each direction (docs/formats.md), so a
// worker can be written in any language and a crash is reproduced by pasting the request line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "perfatlas/hw/measured_peaks.h"
#include "perfatlas/measure/sample.h"
#include "perfatlas/schema/registry.h"

namespace perfatlas {

inline constexpr int kProtocolVersion = 1;

// ---- requests --------------------------------------------------------------------------------------------------

/// Who are you: devices, kernels, versions. Always first.
struct HelloRequest {
  int protocol = kProtocolVersion;
};

/// Measure the device's peaks (bandwidths, matrix products per type).
struct ProbeRequest {
  double budget_s = 30;
};

/// What to run, common to check and sample.
struct KernelSelector {
  std::string case_text;  // see case_text() in schema/op_type.h
  std::string backend;    // "onednn"
  std::string kernel;     // kernel_source; empty: the best one that supports the case
  uint64_t seed = 0;      // of operand contents
};

/// Compare the kernel with the reference and test its contract on this case.
struct CheckRequest {
  KernelSelector what;
};

/// Time the kernel. The worker keeps the last case prepared, so that asking again for the same case is cheap.
struct SampleRequest {
  KernelSelector what;
  CacheState cache = CacheState::serving;
  int warmups = 3;
  int repetitions = 10;        // samples wanted
  double min_sample_ms = 0.1;  // short kernels: launches are batched until a sample takes this long
  double max_total_ms = 1000;  // stop early after this much measuring, but after at least one sample
  bool allow_graph_fail = true;
  bool measure_energy = false;  // keep running until the energy counter has enough ticks
};

/// Which kernels of an op could run this case on this device, and why not. Measures nothing.
struct KernelsRequest {
  std::string case_text;
};

using Request = std::variant<HelloRequest, ProbeRequest, KernelsRequest, CheckRequest, SampleRequest>;

// ---- answers ---------------------------------------------------------------------------------------------------

struct WorkerDevice {
  std::string id, name;
  double memory_bytes = 0, llc_bytes = 0;
  std::map<std::string, std::string> versions;
};

struct WorkerKernel {
  std::string op, name, backend;
};

struct HelloAnswer {
  int protocol = kProtocolVersion;
  std::string worker;                           // "perfatlas-worker-cpu 0.1.0"
  WorkerDevice device;                          // a worker process owns one device
  std::map<std::string, std::string> backends;  // back end -> version of its kernel library
  std::vector<WorkerKernel> kernels;
};

/// What could not be measured is absent.
using ProbeAnswer = MeasuredPeaks;

struct KernelsAnswer {
  struct Entry {
    std::string backend, kernel;
    std::string reason;  // empty: can run
  };
  std::vector<Entry> kernels;  // best first
};

struct CheckResult {
  std::string name;  // "output shape and dtype", "against reference", "KV cache is read"
  bool passed = false;
  bool skipped = false;  // does not apply; `detail` says why
  std::string detail;    // figures, or what is wrong
};

struct CheckAnswer {
  std::string kernel_source;
  std::vector<CheckResult> results;
};

struct SampleAnswer {
  std::string kernel_source;  // the kernel that really ran
  Samples samples;
};

/// The case cannot run here and that is a fact, not a failure: one reason per kernel that was considered.
struct SkippedAnswer {
  std::string reason;
};

/// Tried and went wrong; the worker is still well.
struct FailedAnswer {
  std::string error;
};

using WorkerAnswer = std::variant<HelloAnswer, ProbeAnswer, KernelsAnswer, CheckAnswer, SampleAnswer,
                                  SkippedAnswer, FailedAnswer>;

// ---- lines -----------------------------------------------------------------------------------------------------

/// One line without the newline. `id` ties an answer to its request.
std::string format_request(int64_t id, const Request& request);
std::string format_answer(int64_t id, const WorkerAnswer& answer);

struct NumberedRequest {
  int64_t id = 0;
  Request request;
};
struct NumberedAnswer {
  int64_t id = 0;
  WorkerAnswer answer;
};

/// Throw Error naming what is malformed; never crash on any input. Numbers must be finite.
NumberedRequest parse_request(std::string_view line);
NumberedAnswer parse_answer(std::string_view line);

}  // namespace perfatlas
