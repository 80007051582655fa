// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/mpi/mpi_batch.h"

#include <fmt/format.h>

namespace perfatlas {

MpiBatch::MpiBatch(const BatchRequest& request, MpiDevice& device)
    : device_(device), launches_(request.launches) {
  const auto* kernel = dynamic_cast<const GroupKernel*>(request.kernel);
  PERFATLAS_ASSERT(kernel != nullptr && request.operand_sets.size() == 1 && request.launches >= 1);
  if (request.cache == CacheState::cold)
    throw Error("collectives are measured with warm buffers only; use --cache serving or hot");
  call_ = kernel->call();
  for (const void* const operand : request.operand_sets[0])
    operands_.push_back(device.memory_.place_of(operand));
  prepare();
}

MpiBatch::~MpiBatch() {
  if (device_.unread_ == this) device_.unread_ = nullptr;
}

void MpiBatch::prepare() { device_.group(call_.ranks).prepare(call_); }

double MpiBatch::run_ms() {
  prepare();
  RankGroup& group = device_.group(call_.ranks);
  group.load(operands_, device_.writes_);
  const double ms = group.run_ms(launches_);
  device_.unread_ = this;
  return ms;
}

std::string MpiBatch::note() const {
  const size_t cores = device_.cores().size();
  if (size_t(call_.ranks) <= cores) return {};
  return fmt::format("{} ranks on {} cores: oversubscribed", call_.ranks, cores);
}

void MpiBatch::fetch() { device_.group(call_.ranks).fetch(operands_); }

}  // namespace perfatlas
