// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_check_run.h"

#include <algorithm>

#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr size_t kGuardBytes = 256;
constexpr std::byte kGuard{0x3c};

}  // namespace

CheckRun::CheckRun(const Case& what, const KernelEntry& kernel, Device& device)
    : device_(device),
      operands_(what.op->operands(what.values)),
      kernel_(kernel.prepare(what.values, device)) {
  for (size_t i = 0; i < operands_.size(); ++i) {
    operands_[i].dtype = kernel_->taken_dtype(i).value_or(operands_[i].dtype);
    const size_t packed = kernel_->packed_bytes(i);
    bytes_.push_back(packed > 0 ? packed : size_t(operands_[i].bytes()));
    memory_.push_back(device.allocate(bytes_[i] + kGuardBytes));
  }
  if (kernel_->workspace_bytes() > 0) workspace_ = device.allocate(kernel_->workspace_bytes());
}

void CheckRun::load(size_t index, const HostOperand& content, std::byte pattern) {
  const std::vector<std::byte> guard(kGuardBytes, kGuard);
  char* const memory = static_cast<char*>(memory_[index].get());
  device_.copy_in(memory + bytes_[index], guard.data(), guard.size());
  std::vector<std::byte> bytes = operands_[index].role == OperandRole::output
                                     ? std::vector<std::byte>(bytes_[index], pattern)
                                     : operand_bytes_of(as_type(content, operands_[index].dtype));
  if (kernel_->packed_bytes(index) == 0) {
    device_.copy_in(memory, bytes.data(), bytes.size());
    return;
  }
  const std::shared_ptr<void> declared = device_.allocate(std::max<size_t>(bytes.size(), 1));
  device_.copy_in(declared.get(), bytes.data(), bytes.size());
  kernel_->pack(index, declared.get(), memory);
  device_.synchronize();
}

std::vector<std::byte> CheckRun::as_judged(size_t index, std::vector<std::byte> bytes) {
  if (kernel_->packed_bytes(index) == 0 || !operands_[index].written) return bytes;
  std::vector<std::byte> declared(size_t(operands_[index].bytes()));
  const std::shared_ptr<void> memory = device_.allocate(std::max<size_t>(declared.size(), 1));
  kernel_->unpack(index, memory_[index].get(), memory.get());
  device_.synchronize();
  device_.copy_out(declared.data(), memory.get(), declared.size());
  return declared;
}

CheckRunResult CheckRun::run(const std::vector<HostOperand>& content, std::byte pattern) {
  BatchRequest request{.kernel = kernel_.get(), .operand_sets = {{}}, .workspace = workspace_.get()};
  request.cache = CacheState::hot;
  CheckRunResult result;
  const auto read_back = [&](size_t i) {
    std::vector<std::byte> bytes(bytes_[i] + kGuardBytes);
    device_.copy_out(bytes.data(), memory_[i].get(), bytes.size());
    return bytes;
  };
  for (size_t i = 0; i < operands_.size(); ++i)
    if (is_told(operands_[i])) kernel_->see_content(i, content[i]);
  // A batch may launch while it is made (graph capture warms up), so operands are loaded again before the run.
  for (size_t i = 0; i < operands_.size(); ++i) request.operand_sets[0].push_back(memory_[i].get());
  for (size_t i = 0; i < operands_.size(); ++i) load(i, content[i], pattern);
  const auto batch = device_.make_batch(request);
  for (size_t i = 0; i < operands_.size(); ++i) {
    load(i, content[i], pattern);
    std::vector<std::byte> bytes = read_back(i);
    bytes.resize(bytes_[i]);
    result.before.push_back(as_judged(i, std::move(bytes)));
  }
  batch->run_ms();
  device_.synchronize();
  for (size_t i = 0; i < operands_.size(); ++i) {
    std::vector<std::byte> bytes = read_back(i);
    if (std::any_of(bytes.begin() + ptrdiff_t(bytes_[i]), bytes.end(),
                    [](std::byte b) { return b != kGuard; }))
      result.overrun.push_back(i);
    bytes.resize(bytes_[i]);
    result.after.push_back(as_judged(i, std::move(bytes)));
  }
  result.mode = batch->mode();
  result.note = batch->note();
  return result;
}

}  // namespace perfatlas
