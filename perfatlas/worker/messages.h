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

/// An operand of the case, for workers that do not link the op declarations.
struct OfferedOperand {
  std::string name;
  OperandRole role = OperandRole::activation;
  DType dtype = DType::bf16;
  std::vector<int64_t> shape;
  Fill fill = Fill::normal;
  bool written = false;
  std::string content;  // file with the elements, dense and row-major; empty: the worker makes random ones
};

/// What such a worker is told about a case; empty for workers that do not want it.
struct OperandOffer {
  std::vector<OfferedOperand> operands;  // in declaration order
  double streamed_bytes = 0;  // weights and KV cache that one launch reads or writes, by the op's work()
};

/// What to run, common to check, sample and launch.
struct KernelSelector {
  std::string case_text;  // see case_text() in schema/op_type.h
  std::string backend;    // "onednn"
  std::string kernel;     // kernel_source; empty: the best one that supports the case
  uint64_t seed = 0;      // of operand contents
  OperandOffer offer = {};
};

/// Compare the kernel with the reference and test its contract on this case.
struct CheckRequest {
  KernelSelector what;
};

/// Run the kernel once on the content of the offered files and write every operand back to its file. Only for workers
/// that want operands: their results are judged by the supervisor.
struct LaunchRequest {
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
  OperandOffer offer = {};
};

/// Run a model's step: its ops one after another, every launch with weights and KV cache of its own.
struct StepRequest {
  std::vector<std::string> cases;  // the distinct ops
  std::vector<int64_t> order;      // indices into `cases`, in execution order
  std::string backend;
  uint64_t seed = 0;
  int warmups = 1;
  int repetitions = 10;
  double max_total_ms = 10000;
  bool allow_graph_fail = true;
};

using Request = std::variant<HelloRequest, ProbeRequest, KernelsRequest, CheckRequest, LaunchRequest,
                             SampleRequest, StepRequest>;

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
  /// The worker does not know the op declarations: kernels, sample and launch requests must describe the operands, and
  /// checks are made of launch requests.
  bool wants_operands = false;
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

struct LaunchAnswer {
  std::string kernel_source;
  std::vector<std::string> overrun;  // operands beyond whose end bytes were written
};

struct SampleAnswer {
  std::string kernel_source;  // the kernel that really ran
  Samples samples;
  /// Of groups of ranks: per repetition the time of every rank, as latency_ms per launch, which is their maximum. Empty
  /// for single devices.
  std::vector<std::vector<double>> rank_ms = {};
};

/// One entry per repetition; see StepSamples (backends/harness_step.h).
struct StepAnswer {
  std::vector<std::string> kernel_sources;    // by case
  std::vector<double> total_ms;               // the whole step
  std::vector<std::vector<double>> cases_ms;  // by case: the mean of its launches inside the step
  double streamed_bytes = 0;                  // weights and KV cache of the whole step
  LaunchMode launch = LaunchMode::direct;
  std::string launch_note;
};

/// The case cannot run here and that is a fact, not a failure: one reason per kernel that was considered.
struct SkippedAnswer {
  std::string reason;
};

/// Tried and went wrong; the worker is still well.
struct FailedAnswer {
  std::string error;
};

using WorkerAnswer = std::variant<HelloAnswer, ProbeAnswer, KernelsAnswer, CheckAnswer, LaunchAnswer,
                                  SampleAnswer, StepAnswer, SkippedAnswer, FailedAnswer>;

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
