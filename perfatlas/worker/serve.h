// SPDX-License-Identifier: Apache-2.0
// The worker's side of the protocol: requests in, answers out, on any device.
#pragma once

#include <functional>
#include <memory>

#include "perfatlas/backends/harness.h"
#include "perfatlas/hw/measured_peaks.h"
#include "perfatlas/worker/messages.h"
#include "perfatlas/worker/protocol_channel.h"

namespace perfatlas {

/// What a worker is made of. Everything outlives the server.
struct WorkerParts {
  std::string name;  // "perfatlas-worker-cpu 0.1.0"
  Device& device;
  const OpRegistry& ops;
  const KernelRegistry& kernels;
  std::map<std::string, std::string> backends;          // back end -> version of its kernel library
  std::function<MeasuredPeaks(double budget_s)> probe;  // measures the device's peaks
  /// Devices that are groups of ranks: what every rank took in the newest `count` runs, per launch. Null: one device.
  std::function<std::vector<std::vector<double>>(size_t count)> rank_ms = nullptr;
};

class RequestServer {
 public:
  explicit RequestServer(const WorkerParts& parts);

  /// Never throws: whatever goes wrong with a request is its FailedAnswer.
  WorkerAnswer answer(const Request& request);

 private:
  struct Choice {
    Case what;
    const KernelEntry* kernel = nullptr;  // null: `reason` says why
    std::string reason;
  };

  WorkerAnswer reply(const HelloRequest&);
  WorkerAnswer reply(const ProbeRequest&);
  WorkerAnswer reply(const KernelsRequest&);
  WorkerAnswer reply(const CheckRequest&);
  WorkerAnswer reply(const LaunchRequest&);
  WorkerAnswer reply(const SampleRequest&);
  WorkerAnswer reply(const StepRequest&);
  Case parse(const std::string& case_text) const;
  Choice choose(const KernelSelector& what) const;
  const KernelEntry* second_kernel(const Choice& first) const;
  PreparedCase& prepare(const CaseSetup& setup);

  const WorkerParts& parts_;
  OperandStore store_;
  std::unique_ptr<PreparedCase> prepared_;  // the last one: asking again for the same case is cheap
};

/// Answers lines until the input ends. A line that is no request gets a FailedAnswer, with id 0 because its own is
/// not known. Throws Error when the channel breaks, and, after its answer, when the device is lost (Device::lost).
void serve(ProtocolChannel& channel, const WorkerParts& parts);

/// Of a worker without a usable device: answers every request, hello among them, with the reason.
void refuse(ProtocolChannel& channel, const std::string& reason);

}  // namespace perfatlas
