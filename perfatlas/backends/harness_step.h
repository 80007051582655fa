// SPDX-License-Identifier: Apache-2.0
// A whole step of a model on one device: its ops one after another, every layer with weights and KV cache of its own,
// activations in buffers that all ops share. What the sum of single measurements is compared with.
#pragma once

#include <memory>
#include <vector>

#include "perfatlas/backends/harness.h"

namespace perfatlas {

struct StepSetup {
  struct Use {
    Case what;
    const KernelEntry* kernel = nullptr;
  };
  std::vector<Use> uses;
  std::vector<size_t> order;  // indices into `uses`, in execution order; an entry is one launch
  uint64_t seed = 0;
};

/// One entry per repetition.
struct StepSamples {
  std::vector<double> total_ms;              // launched back to back, timed as a whole
  std::vector<std::vector<double>> uses_ms;  // by use: mean of its launches, each timed inside the step
  double streamed_bytes = 0;                 // weights and KV cache of all launches together
  LaunchMode launch = LaunchMode::direct;
  std::string launch_note;
};

/// Bytes of memory that the step needs; weights as declared, before a kernel packs them.
double estimate_step_bytes(const StepSetup& setup);

class PreparedStep {
 public:
  /// Throws OutOfMemory naming needed and available bytes, or Error when a kernel cannot be prepared.
  /// REQUIRES: no other user of `store`; why_invalid() of every case is empty; `device` and `store` outlive the step.
  PreparedStep(const StepSetup& setup, Device& device, OperandStore& store);
  ~PreparedStep();

  /// Whole steps and steps timed op by op take turns, so that both see the same machine. Uses warmups, repetitions,
  /// max_total_ms and allow_graph_fail. Timing op by op waits for the device after every launch: on a GPU the times
  /// of single ops contain that wait.
  StepSamples sample(const SamplingOptions& options);

 private:
  class Sequence;
  void place(OperandStore& store);
  void time_uses(StepSamples& samples);

  StepSetup setup_;
  Device& device_;
  std::unique_ptr<Sequence> sequence_;
  std::vector<std::shared_ptr<void>> memory_;
  std::shared_ptr<void> workspace_;
  double streamed_bytes_ = 0;
};

}  // namespace perfatlas
