// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

}  // namespace

/// The kernels and pointers of every launch, as one kernel.
class PreparedStep::Sequence final : public PreparedKernel {
 public:
  struct Launch {
    PreparedKernel* kernel = nullptr;
    std::vector<void*> operands;
  };
  std::vector<std::unique_ptr<PreparedKernel>> kernels;  // by use
  std::vector<Launch> launches;                          // in order

  size_t workspace_bytes() const override {
    size_t most = 0;
    for (const auto& kernel : kernels) most = std::max(most, kernel->workspace_bytes());
    return most;
  }
  void launch(Stream stream, std::span<void* const>, void* workspace) override {
    for (Launch& one : launches) one.kernel->launch(stream, one.operands, workspace);
  }
};

double estimate_step_bytes(const StepSetup& setup) {
  std::map<DType, size_t> resident;
  double streamed = 0;
  for (const size_t index : setup.order) {
    const PlacementPlan plan = plan_placement(setup.uses[index].what, CacheState::hot, 0, nullptr);
    for (const auto& [dtype, bytes] : plan.record_bytes) streamed += double(bytes);
    for (const auto& [dtype, bytes] : plan.resident_bytes) resident[dtype] = std::max(resident[dtype], bytes);
  }
  for (const auto& [dtype, bytes] : resident) streamed += double(bytes);
  return streamed;
}

PreparedStep::PreparedStep(const StepSetup& setup, Device& device, OperandStore& store)
    : setup_(setup), device_(device), sequence_(std::make_unique<Sequence>()) {
  const double needed = estimate_step_bytes(setup), memory = device.info().memory_bytes;
  if (needed > kUsableMemory * memory)
    throw OutOfMemory(
        fmt::format("out of memory: the step needs {:.2f} GiB, device {} has {:.2f} GiB of which "
                    "{:.0f} % are used for operands; choose fewer layers, or a higher tp",
                    needed / kGiB, device.info().id, memory / kGiB, 100 * kUsableMemory));
  store.release();
  for (const StepSetup::Use& use : setup_.uses)
    sequence_->kernels.push_back(use.kernel->prepare(use.what.values, device));
  place(store);
  if (const size_t bytes = sequence_->workspace_bytes(); bytes > 0) workspace_ = device.allocate(bytes);
}

PreparedStep::~PreparedStep() = default;

/// Weights and KV cache of every launch lie one after another in the arena of their type; activations and outputs of
/// all launches begin at the start of theirs; index operands and factors are shared by the launches of a use.
void PreparedStep::place(OperandStore& store) {
  std::vector<PlacementPlan> plans;
  std::vector<std::map<size_t, void*>> declared(setup_.uses.size());
  for (size_t u = 0; u < setup_.uses.size(); ++u) {
    const Case& what = setup_.uses[u].what;
    plans.push_back(plan_placement(what, CacheState::hot, 0, sequence_->kernels[u].get()));
    const Operands operands = what.op->operands(what.values);
    for (size_t i = 0; i < operands.size(); ++i) {
      if (!plans[u].slots[i].declared_content) continue;
      const HostOperand content = make_host_operand(operands[i], setup_.seed);
      if (is_told(operands[i])) sequence_->kernels[u]->see_content(i, content);
      const std::vector<std::byte> bytes = operand_bytes_of(content);
      memory_.push_back(device_.allocate(std::max<size_t>(bytes.size(), 1)));
      device_.copy_in(memory_.back().get(), bytes.data(), bytes.size());
      declared[u][i] = memory_.back().get();
    }
  }
  std::map<DType, size_t> stream_bytes, resident_bytes, next;
  for (const size_t u : setup_.order) {
    for (const auto& [dtype, bytes] : plans[u].record_bytes) stream_bytes[dtype] += bytes;
    for (const auto& [dtype, bytes] : plans[u].resident_bytes)
      resident_bytes[dtype] = std::max(resident_bytes[dtype], bytes);
    streamed_bytes_ += plans[u].streamed_bytes;
  }
  std::map<DType, char*> streams, residents;
  const auto open = [&](ArenaUse use, const std::map<DType, size_t>& sizes, std::map<DType, char*>& at) {
    for (const auto& [dtype, bytes] : sizes) {
      memory_.push_back(store.arena(use, dtype, bytes).memory);
      at[dtype] = static_cast<char*>(memory_.back().get());
    }
  };
  open(ArenaUse::stream, stream_bytes, streams);
  open(ArenaUse::resident, resident_bytes, residents);
  for (const size_t u : setup_.order) {
    Sequence::Launch launch{sequence_->kernels[u].get(), {}};
    for (size_t i = 0; i < plans[u].slots.size(); ++i) {
      const PlacementPlan::Slot& slot = plans[u].slots[i];
      if (slot.declared_content)
        launch.operands.push_back(declared[u][i]);
      else if (slot.streamed)
        launch.operands.push_back(streams[slot.dtype] + next[slot.dtype] + slot.offset);
      else
        launch.operands.push_back(residents[slot.dtype] + slot.offset);
    }
    for (const auto& [dtype, bytes] : plans[u].record_bytes) next[dtype] += bytes;
    sequence_->launches.push_back(std::move(launch));
  }
}

void PreparedStep::time_uses(StepSamples& samples) {
  std::vector<double> sums(setup_.uses.size());
  std::vector<int> counts(setup_.uses.size());
  for (size_t i = 0; i < setup_.order.size(); ++i) {
    Sequence::Launch& launch = sequence_->launches[i];
    device_.begin_range(case_text(setup_.uses[setup_.order[i]].what));
    const Clock::time_point start = Clock::now();
    launch.kernel->launch(device_.stream(), launch.operands, workspace_.get());
    device_.synchronize();
    sums[setup_.order[i]] += ms_since(start);
    device_.end_range();
    ++counts[setup_.order[i]];
  }
  for (size_t u = 0; u < sums.size(); ++u) samples.uses_ms[u].push_back(counts[u] ? sums[u] / counts[u] : 0);
}

StepSamples PreparedStep::sample(const SamplingOptions& options) {
  BatchRequest request;
  request.kernel = sequence_.get();
  request.operand_sets = {{}};  // the sequence holds its own
  request.workspace = workspace_.get();
  request.cache = CacheState::hot;
  request.allow_graph_fail = options.allow_graph_fail;
  const auto batch = device_.make_batch(request);
  const Clock::time_point start = Clock::now();
  StepSamples samples;
  samples.uses_ms.resize(setup_.uses.size());
  samples.streamed_bytes = streamed_bytes_;
  samples.launch = batch->mode();
  samples.launch_note = batch->note();
  for (int i = 0; i < options.warmups; ++i) batch->run_ms();
  do {
    samples.total_ms.push_back(batch->run_ms());
    time_uses(samples);
  } while (int(samples.total_ms.size()) < options.repetitions && ms_since(start) < options.max_total_ms);
  return samples;
}

}  // namespace perfatlas
