// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/ranks/group_batch.h"

#include <algorithm>

namespace perfatlas {

GroupBatch::GroupBatch(const BatchRequest& request, GroupDevice& device) : device_(device) {
  const auto* kernel = dynamic_cast<const GroupKernel*>(request.kernel);
  PERFATLAS_ASSERT(kernel != nullptr && request.operand_sets.size() == 1 && request.launches >= 1);
  if (request.cache == CacheState::cold)
    throw Error("collectives are measured with warm buffers only; use --cache serving or hot");
  call_ = kernel->call();
  plan_ = {uint32_t(request.launches), uint32_t(request.cache), request.allow_graph_fail ? 1U : 0U};
  for (void* const operand : request.operand_sets[0]) {
    operands_.places.push_back(device.memory_.place_of(operand));
    operands_.addresses.push_back(operand);
  }
  ready();
}

GroupBatch::~GroupBatch() {
  if (device_.unread_ == this) device_.unread_ = nullptr;
}

RankGroup& GroupBatch::ready() {
  RankGroup& group = device_.group(call_.ranks);
  group.prepare(call_);
  readiness_ = group.plan(plan_);
  return group;
}

double GroupBatch::run_ms() {
  RankGroup& group = ready();
  group.load(operands_, device_.writes_);
  const std::vector<RankRun> runs = group.run();
  device_.unread_ = this;
  device_.keep(runs, int(plan_.launches));
  const auto faster = [](const RankRun& a, const RankRun& b) { return a.ms < b.ms; };
  return std::max_element(runs.begin(), runs.end(), faster)->ms;
}

std::string GroupBatch::note() const {
  std::string text;
  for (const std::string& part :
       {device_.group(call_.ranks).hosts_text(), device_.note_of(call_.ranks), readiness_.note})
    if (!part.empty()) text += (text.empty() ? "" : "; ") + part;
  return text;
}

void GroupBatch::fetch() { device_.group(call_.ranks).fetch(operands_); }

}  // namespace perfatlas
