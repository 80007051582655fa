// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/worker/remote_check.h"

#include <fmt/format.h>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/base/error.h"
#include "perfatlas/worker/remote_operands.h"

namespace perfatlas {
namespace {

/// One launch in the worker: ships the operand set there and back.
class RemoteBatch final : public TimedBatch {
 public:
  RemoteBatch(const BatchRequest& request, LaunchRequest launch, const AskWorker& ask)
      : operands_(request.operand_sets.at(0)), launch_(std::move(launch)), ask_(ask) {}

  double run_ms() override {
    const std::vector<OfferedOperand>& offered = launch_.what.offer.operands;
    for (size_t i = 0; i < offered.size(); ++i) RemoteOperands::write(offered[i], bytes(i));
    const WorkerAnswer answer = ask_(launch_);
    if (const auto* failed = std::get_if<FailedAnswer>(&answer)) throw Error(failed->error);
    const auto* done = std::get_if<LaunchAnswer>(&answer);
    if (done == nullptr) throw Error("the worker answered a launch request with something else");
    for (size_t i = 0; i < offered.size(); ++i) RemoteOperands::read(offered[i], bytes(i));
    for (const std::string& name : done->overrun) mark_overrun(name);
    return 0;  // nobody looks at the time of a check
  }
  LaunchMode mode() const override { return LaunchMode::direct; }

 private:
  std::span<std::byte> bytes(size_t i) const {
    const OfferedOperand& offered = launch_.what.offer.operands[i];
    const Operand sized{.dtype = offered.dtype, .shape = offered.shape};
    return {static_cast<std::byte*>(operands_[i]), size_t(sized.bytes())};
  }

  /// The judge finds overruns by what follows the operand in memory; the worker has looked at its own memory.
  void mark_overrun(const std::string& name) {
    const auto& offered = launch_.what.offer.operands;
    for (size_t i = 0; i < offered.size(); ++i)
      if (offered[i].name == name) *bytes(i).end() ^= std::byte{0xff};
  }

  std::vector<void*> operands_;
  LaunchRequest launch_;
  const AskWorker& ask_;
};

/// Host memory whose batches run in the worker.
class RemoteDevice final : public Device {
 public:
  RemoteDevice(LaunchRequest launch, const AskWorker& ask) : launch_(std::move(launch)), ask_(ask) {}

  const DeviceInfo& info() const override { return info_; }
  std::shared_ptr<void> allocate(size_t bytes) override { return std::make_shared<std::byte[]>(bytes); }
  void copy_in(void* device, const void* host, size_t bytes) override { copy(device, host, bytes); }
  void copy_out(void* host, const void* device, size_t bytes) override { copy(host, device, bytes); }
  void copy(void* to, const void* from, size_t bytes) override { std::memcpy(to, from, bytes); }
  Stream stream() override { return nullptr; }
  void synchronize() override {}
  std::unique_ptr<TimedBatch> make_batch(const BatchRequest& request) override {
    return std::make_unique<RemoteBatch>(request, launch_, ask_);
  }
  SensorReading read_sensors() override { return {}; }

 private:
  DeviceInfo info_;
  LaunchRequest launch_;
  const AskWorker& ask_;
};

/// Stands for the kernel in the worker, which takes every operand in its declared layout.
class RemoteKernel final : public PreparedKernel {
 public:
  void launch(Stream, std::span<void* const>, void*) override { PERFATLAS_ASSERT(false); }
};

/// The name of the first kernel that supports the case, or the reasons of those that do not.
struct RemoteChoice {
  std::string kernel, reason;
};

RemoteChoice choose(const std::vector<KernelsAnswer::Entry>& kernels, const KernelSelector& what) {
  RemoteChoice choice;
  for (const KernelsAnswer::Entry& entry : kernels) {
    if (!what.backend.empty() && entry.backend != what.backend) continue;
    if (!what.kernel.empty() && entry.kernel != what.kernel) continue;
    if (entry.reason.empty()) return {entry.kernel, {}};
    choice.reason += fmt::format("{}{}: {}", choice.reason.empty() ? "" : "; ", entry.kernel, entry.reason);
  }
  if (choice.reason.empty())
    choice.reason =
        fmt::format("the worker has no kernel '{}' of back end '{}' for this op", what.kernel, what.backend);
  return choice;
}

CheckAnswer judge(const Case& c, const KernelSelector& what, const AskWorker& ask) {
  RemoteDevice device({what}, ask);
  KernelEntry entry{c.op->info.id, what.kernel, what.backend, {}, {}};
  entry.prepare = [](const FieldValues&, Device&) { return std::make_unique<RemoteKernel>(); };
  CheckAnswer answer{what.kernel, {}};
  for (const HarnessCheck& check : check_kernel(c, entry, what.seed, device))
    answer.results.push_back({check.name, check.verdict == Verdict::passed,
                              check.verdict == Verdict::not_applicable, check.detail});
  return answer;
}

}  // namespace

WorkerAnswer check_remotely(const Case& c, KernelSelector what, const AskWorker& ask) {
  what.case_text = case_text(c);
  const WorkerAnswer listed = ask(KernelsRequest{what.case_text, describe_operands(c)});
  const auto* kernels = std::get_if<KernelsAnswer>(&listed);
  if (kernels == nullptr) return listed;
  const RemoteChoice choice = choose(kernels->kernels, what);
  if (choice.kernel.empty()) return SkippedAnswer{choice.reason};
  what.kernel = choice.kernel;
  const RemoteOperands operands;
  what.offer = operands.for_launch(c);
  try {
    return judge(c, what, ask);
  } catch (const Error& error) {
    return FailedAnswer{error.what()};
  }
}

}  // namespace perfatlas
