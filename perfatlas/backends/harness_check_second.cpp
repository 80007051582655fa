// SPDX-License-Identifier: Apache-2.0
// One kernel beside another.
#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/backends/harness_check.h"
#include "perfatlas/backends/harness_check_cache.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

/// What a kernel wrote, as the types it has it in.
struct Results {
  Operands operands;
  OperandBytes bytes;
  double tolerance = 0;
};

Results results_of(const Case& what, const KernelEntry& kernel, uint64_t seed, Device& device) {
  constexpr std::byte kPattern{0xa5};
  CheckRun runner(what, kernel, device);
  const Operands declared = what.op->operands(what.values);
  std::vector<HostOperand> content;
  for (size_t i = 0; i < declared.size(); ++i)
    content.push_back(as_type(make_host_operand(declared[i], seed), runner.operands()[i].dtype));
  return {runner.operands(), runner.run(content, kPattern).after,
          std::max({reference_tolerance(declared), reference_tolerance(runner.operands()),
                    runner.kernel().allowed_error()})};
}

}  // namespace

HarnessCheck check_against_kernel(const Case& what, const KernelEntry& kernel, const KernelEntry& other,
                                  uint64_t seed, Device& device) {
  const Results a = results_of(what, kernel, seed, device), b = results_of(what, other, seed, device);
  const double allowed = a.tolerance + b.tolerance;
  HarnessCheck check{"against a second kernel", Verdict::passed, {}};
  const auto add = [&](const std::string& text, bool right) {
    check.detail += (check.detail.empty() ? fmt::format("{}: ", other.name) : ", ") + text;
    if (!right) check.verdict = Verdict::failed;
  };
  for (size_t i = 0; i < a.operands.size(); ++i) {
    const Operand& operand = a.operands[i];
    if (!operand.written || operand.choice) continue;
    if (operand.dtype == DType::int32) {
      const bool same = a.bytes[i] == b.bytes[i];
      add(fmt::format("{}: the indices {}", operand.name, same ? "agree" : "differ"), same);
      continue;
    }
    const double error = relative_l2_error(decode_elements(operand.dtype, a.bytes[i]),
                                           decode_elements(b.operands[i].dtype, b.bytes[i]));
    add(fmt::format("{}: relative L2 difference {:.2e}, allowed {:.0e}", operand.name, error, allowed),
        error <= allowed);
  }
  return check;
}

}  // namespace perfatlas
