// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/align/alignment.h"

namespace perfatlas {
namespace {

constexpr size_t kKernelWidth = 60;

std::string shortened(const std::string& name) {
  return name.size() <= kKernelWidth ? name : name.substr(0, kKernelWidth - 3) + "...";
}

std::string op_lines(const AlignedOp& op) {
  std::string text = fmt::format("{}\n", op.name);
  const std::string trace = fmt::format("{:.2f}", op.trace_us());
  if (const auto ratio = op.ratio())
    text += fmt::format("  {:>6} x  trace {:>10} us  table {:>10.2f} us  table/trace {:.2f}  ({}, {})\n",
                        op.occurrences, trace, op.answer.latency_ms * 1e3, *ratio, name_of(op.answer.source),
                        op.answer.kernel_source);
  else
    text += fmt::format("  {:>6} x  trace {:>10} us  no answer: {}\n", op.occurrences, trace,
                        op.problem.empty() ? op.answer.miss_reason : op.problem);
  for (const AlignedKernel& kernel : op.kernels)
    text += fmt::format("    {:<{}} {:>6} x {:>10.2f} us\n", shortened(kernel.name), kKernelWidth,
                        kernel.launches, kernel.total_us / double(kernel.launches));
  return text;
}

nlohmann::json kernels_json(const std::vector<AlignedKernel>& kernels) {
  nlohmann::json list = nlohmann::json::array();
  for (const AlignedKernel& kernel : kernels)
    list.push_back({{"name", kernel.name}, {"launches", kernel.launches}, {"total_us", kernel.total_us}});
  return list;
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

std::string alignment_text(const Alignment& a) {
  std::string text;
  for (const AlignedOp& op : a.ops) text += op_lines(op);
  if (a.ops.empty())
    text +=
        "no range of the trace is named like a case; ranges of `perfatlas step` are, those of other programs "
        "are not\n";
  if (!a.elsewhere.empty()) text += "outside of every op:\n";
  for (const AlignedKernel& kernel : a.elsewhere)
    text += fmt::format("    {:<{}} {:>6} x {:>10.2f} us\n", shortened(kernel.name), kKernelWidth,
                        kernel.launches, kernel.total_us / double(kernel.launches));
  text += fmt::format("kernels: {:.1f} us, {:.1f} % of it in ops\n", a.kernel_us,
                      100 * share(a.op_us, a.kernel_us));
  if (a.answered_trace_us > 0)
    text += fmt::format("answered: {:.1f} us in the trace, {:.1f} us by the tables, table/trace {:.2f}\n",
                        a.answered_trace_us, a.answered_table_us,
                        share(a.answered_table_us, a.answered_trace_us));
  return text;
}

std::string alignment_json(const Alignment& a) {
  nlohmann::json ops = nlohmann::json::array();
  for (const AlignedOp& op : a.ops) {
    nlohmann::json entry{{"case", op.name},
                         {"occurrences", op.occurrences},
                         {"trace_us", op.trace_us()},
                         {"kernels", kernels_json(op.kernels)}};
    if (const auto ratio = op.ratio()) {
      entry["table_us"] = op.answer.latency_ms * 1e3;
      entry["ratio"] = *ratio;
      entry["source"] = name_of(op.answer.source);
      entry["kernel_source"] = op.answer.kernel_source;
    } else {
      entry["reason"] = op.problem.empty() ? op.answer.miss_reason : op.problem;
    }
    ops.push_back(std::move(entry));
  }
  return nlohmann::json{{"ops", ops},
                        {"elsewhere", kernels_json(a.elsewhere)},
                        {"kernel_us", a.kernel_us},
                        {"op_us", a.op_us},
                        {"answered_trace_us", a.answered_trace_us},
                        {"answered_table_us", a.answered_table_us}}
      .dump(2);
}

}  // namespace perfatlas
