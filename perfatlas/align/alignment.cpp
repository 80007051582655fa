// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/align/alignment.h"

#include <algorithm>
#include <map>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

void add_kernel(std::vector<AlignedKernel>& kernels, const Trace::Kernel& kernel) {
  auto found = std::find_if(kernels.begin(), kernels.end(),
                            [&](const AlignedKernel& known) { return known.name == kernel.name; });
  if (found == kernels.end()) found = kernels.insert(kernels.end(), {.name = kernel.name});
  ++found->launches;
  found->total_us += kernel.duration_us;
}

void longest_first(std::vector<AlignedKernel>& kernels) {
  std::stable_sort(kernels.begin(), kernels.end(),
                   [](const AlignedKernel& a, const AlignedKernel& b) { return a.total_us > b.total_us; });
}

/// Finds for every range the op it belongs to.
class RangeOps {
 public:
  RangeOps(const Trace& trace, const OpRegistry& registry) : trace_(trace), registry_(registry) {}

  /// Number of the op in `ops` (added when it is new) of the innermost op range around `range`.
  std::optional<size_t> op_of(std::optional<size_t> range, std::vector<AlignedOp>& ops) {
    for (; range; range = trace_.ranges[*range].parent) {
      const std::string& name = trace_.ranges[*range].name;
      if (const auto known = by_name_.find(name); known != by_name_.end()) {
        if (known->second) return count(*range, *known->second, ops);
        continue;
      }
      const std::optional<size_t> made = parse(name, ops);
      by_name_[name] = made;
      if (made) return count(*range, *made, ops);
    }
    return std::nullopt;
  }

 private:
  std::optional<size_t> parse(const std::string& name, std::vector<AlignedOp>& ops) {
    if (registry_.find(name.substr(0, name.find(' '))) == nullptr) return std::nullopt;
    AlignedOp op{.name = name};
    try {
      op.what = registry_.parse_case(name);
    } catch (const Error&) {
      return std::nullopt;  // begins like an op, but is none of ours
    }
    op.problem = op.what.op->why_invalid(op.what.values);
    ops.push_back(std::move(op));
    return ops.size() - 1;
  }

  size_t count(size_t range, size_t op, std::vector<AlignedOp>& ops) {
    if (counted_.emplace(range, op).second) ++ops[op].occurrences;
    return op;
  }

  const Trace& trace_;
  const OpRegistry& registry_;
  std::map<std::string, std::optional<size_t>> by_name_;
  std::map<size_t, size_t> counted_;
};

}  // namespace

double AlignedOp::trace_us() const {
  double total = 0;
  for (const AlignedKernel& kernel : kernels) total += kernel.total_us;
  return occurrences == 0 ? 0 : total / double(occurrences);
}

std::optional<double> AlignedOp::ratio() const {
  if (!answer || trace_us() <= 0) return std::nullopt;
  return answer.latency_ms * 1e3 / trace_us();
}

Alignment align_trace(const Trace& trace, const OpRegistry& registry, const AskDatabase& ask) {
  Alignment alignment;
  RangeOps ranges(trace, registry);
  for (const Trace::Kernel& kernel : trace.kernels) {
    alignment.kernel_us += kernel.duration_us;
    const std::optional<size_t> op = ranges.op_of(kernel.range, alignment.ops);
    if (op) alignment.op_us += kernel.duration_us;
    add_kernel(op ? alignment.ops[*op].kernels : alignment.elsewhere, kernel);
  }
  longest_first(alignment.elsewhere);
  for (AlignedOp& op : alignment.ops) {
    longest_first(op.kernels);
    if (op.problem.empty()) op.answer = ask(op.what);
    if (!op.answer) continue;
    alignment.answered_trace_us += op.trace_us() * double(op.occurrences);
    alignment.answered_table_us += op.answer.latency_ms * 1e3 * double(op.occurrences);
  }
  return alignment;
}

}  // namespace perfatlas
