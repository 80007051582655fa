// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "perfatlas/backends/harness_check_cache.h"
#include "perfatlas/backends/harness_check_run.h"
#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

constexpr std::byte kFirstPattern{0xa5}, kSecondPattern{0x5a};

/// What all checks of one case look at.
struct Evidence {
  const Case& what;
  Operands operands;  // of the types that the kernel takes, as is `content`
  double tolerance;
  std::vector<HostOperand> content;
  CheckRunResult first, second;  // same inputs, outputs pre-filled with different patterns
};

std::vector<HostOperand> make_content(const Operands& declared, const Operands& taken, uint64_t seed) {
  std::vector<HostOperand> content;
  for (size_t i = 0; i < declared.size(); ++i)
    content.push_back(as_type(make_host_operand(declared[i], seed), taken[i].dtype));
  return content;
}

/// Passed unless `problem` says something.
HarnessCheck verdict(std::string name, const std::string& problem, std::string figures) {
  return {std::move(name), problem.empty() ? Verdict::passed : Verdict::failed,
          problem.empty() ? std::move(figures) : problem};
}

/// int32 operands hold indices: always finite, and all zero is a possible result.
bool is_written_value(const Operand& operand) { return operand.written && operand.dtype != DType::int32; }

/// Elements of an output that hold their pattern after both runs.
size_t untouched_elements(const Evidence& e, size_t index) {
  const auto width = size_t(bytes_of(e.operands[index].dtype));
  const std::vector<std::byte>&a = e.first.after[index], &b = e.second.after[index];
  size_t untouched = 0;
  for (size_t at = 0; at + width <= a.size(); at += width) {
    const auto holds = [&](const std::vector<std::byte>& bytes, std::byte pattern) {
      return std::all_of(bytes.begin() + ptrdiff_t(at), bytes.begin() + ptrdiff_t(at + width),
                         [&](std::byte byte) { return byte == pattern; });
    };
    untouched += holds(a, kFirstPattern) && holds(b, kSecondPattern);
  }
  return untouched;
}

HarnessCheck check_shape(const Evidence& e) {
  std::string problem, figures;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    const Operand& operand = e.operands[i];
    if (operand.role != OperandRole::output) continue;
    figures += fmt::format("{}{} [{}] {}", figures.empty() ? "" : ", ", operand.name,
                           fmt::join(operand.shape, ","), name_of(operand.dtype));
    if (const size_t untouched = untouched_elements(e, i); untouched > 0)
      problem =
          fmt::format("{}: {} of {} elements are never written", operand.name, untouched, operand.elements());
  }
  for (const size_t i : e.first.overrun)
    problem = fmt::format("{}: bytes beyond its end are written", e.operands[i].name);
  return verdict("output shape and element type", problem, figures);
}

HarnessCheck check_finite(const Evidence& e) {
  std::string problem;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    if (!is_written_value(e.operands[i])) continue;
    const std::vector<float> values = decode_elements(e.operands[i].dtype, e.first.after[i]);
    const auto bad = std::count_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
    if (bad > 0)
      problem = fmt::format("{}: {} of {} values are not finite", e.operands[i].name, bad, values.size());
  }
  return verdict("no NaN or infinity", problem, "every value is finite");
}

HarnessCheck check_not_zero(const Evidence& e) {
  std::string problem;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    if (!is_written_value(e.operands[i])) continue;
    const std::vector<float> values = decode_elements(e.operands[i].dtype, e.first.after[i]);
    if (std::all_of(values.begin(), values.end(), [](float v) { return v == 0; }))
      problem = fmt::format("{}: every value is zero", e.operands[i].name);
  }
  return verdict("not all zero", problem, "values differ from zero");
}

HarnessCheck check_repeatable(const Evidence& e) {
  std::string problem;
  for (size_t i = 0; i < e.operands.size(); ++i)
    if (e.operands[i].written && e.first.after[i] != e.second.after[i])
      problem = fmt::format("{}: two launches on the same inputs differ", e.operands[i].name);
  return verdict("same inputs, same result", problem, "two launches agree bit by bit");
}

HarnessCheck check_inputs_kept(const Evidence& e) {
  std::string problem;
  for (size_t i = 0; i < e.operands.size(); ++i)
    if (!e.operands[i].written && e.first.before[i] != e.first.after[i])
      problem = fmt::format("{}: an input was modified", e.operands[i].name);
  return verdict("inputs are not modified", problem, "every input is as before");
}

struct Comparison {
  double error = 0;        // relative L2, over the elements that the op writes
  size_t overwritten = 0;  // elements that the op leaves alone and the kernel changed
};

/// An operand that is only partly written (a KV cache) is judged by the part that is: the rest would hide a wrong
/// token behind thousands of untouched ones. The elements of a stored block are written together. One may also be
/// written and end up where it was; then the kernel may miss it by its rounding, while a stray write is far off.
Comparison compare_operand(const Evidence& e, size_t index, const std::vector<float>& expected) {
  const std::vector<float> values = decode_elements(e.operands[index].dtype, e.first.after[index]);
  if (e.operands[index].role == OperandRole::output) return {relative_l2_error(values, expected), 0};
  const std::vector<float>& initial = e.content[index].values;
  const double rounding = reference_tolerance({e.operands[index]});
  Comparison comparison;
  std::vector<float> written, wanted;
  const auto block = size_t(block_of(e.operands[index].dtype).elements);
  const auto is_written = [&](size_t i) {
    const auto begin = ptrdiff_t(i / block * block),
               end = std::min(begin + ptrdiff_t(block), ptrdiff_t(values.size()));
    return !std::equal(expected.begin() + begin, expected.begin() + end, initial.begin() + begin);
  };
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_written(i)) {
      written.push_back(values[i]);
      wanted.push_back(expected[i]);
    } else {
      comparison.overwritten +=
          !(std::abs(double(values[i]) - initial[i]) <= rounding * std::abs(double(initial[i])));
    }
  }
  comparison.error = relative_l2_error(written, wanted);
  return comparison;
}

/// Indices (chosen tokens, positions) are right or wrong: what is not written must have stayed.
size_t wrong_indices(const Evidence& e, size_t index, const std::vector<int32_t>& expected) {
  std::vector<int32_t> indices(expected.size());
  std::memcpy(indices.data(), e.first.after[index].data(), indices.size() * sizeof(int32_t));
  size_t wrong = 0;
  for (size_t i = 0; i < indices.size(); ++i) wrong += indices[i] != expected[i];
  return wrong;
}

/// Compares the written operands that `selected` picks with the reference's.
template <class Select>
HarnessCheck compare(const Evidence& e, const std::vector<HostOperand>& expected, std::string name,
                     Select selected) {
  const double allowed = e.tolerance;
  std::string problem, figures;
  for (size_t i = 0; i < e.operands.size(); ++i) {
    if (!e.operands[i].written || !selected(e.operands[i])) continue;
    if (!is_written_value(e.operands[i])) {
      const size_t wrong = wrong_indices(e, i, expected[i].indices);
      const std::string line =
          fmt::format("{}: {} of {} indices differ", e.operands[i].name, wrong, e.operands[i].elements());
      figures += (figures.empty() ? "" : ", ") + line;
      if (wrong > 0) problem = line;
      continue;
    }
    const Comparison comparison = compare_operand(e, i, expected[i].values);
    const std::string line = fmt::format("{}: relative L2 error {:.2e}, allowed {:.0e}", e.operands[i].name,
                                         comparison.error, allowed);
    figures += (figures.empty() ? "" : ", ") + line;
    if (!(comparison.error <= allowed)) problem = line;
    if (comparison.overwritten > 0)
      problem = fmt::format("{}: {} elements that the op leaves alone were changed", e.operands[i].name,
                            comparison.overwritten);
  }
  if (figures.empty()) return {std::move(name), Verdict::not_applicable, "the op writes no such operand"};
  return verdict(std::move(name), problem, figures);
}

void check_against_reference(const Evidence& e, std::vector<HarnessCheck>& checks) {
  constexpr const char* kOutput = "against the reference";
  constexpr const char* kCache = "written KV cache";
  std::string reason;
  const double flops = e.what.op->work(e.what.values).flops;
  if (e.what.op->reference == nullptr) reason = "the op has no reference";
  if (beyond_reference(e.what))
    reason = fmt::format("{:.1e} operations are too many for the naive reference (limit {:.0e})", flops,
                         kMostReferenceFlops);
  if (!reason.empty()) {
    checks.push_back({kOutput, Verdict::not_applicable, reason});
    checks.push_back({kCache, Verdict::not_applicable, reason});
    return;
  }
  const std::vector<HostOperand> expected = reference_result(e.what, e.content, e.first.after);
  const auto is_cache = [](const Operand& operand) { return operand.role == OperandRole::kv; };
  checks.push_back(compare(e, expected, kOutput, [&](const Operand& operand) { return !is_cache(operand); }));
  checks.push_back(compare(e, expected, kCache, is_cache));
}

HarnessCheck check_graph(const Evidence& e) {
  constexpr const char* kName = "graph capture";
  switch (e.first.mode) {
    case LaunchMode::graph:
      return {kName, Verdict::passed, "launches were captured in a device graph"};
    case LaunchMode::direct:
      return {kName, Verdict::not_applicable, "no graphs on a CPU"};
    case LaunchMode::eager:
      break;
  }
  return {kName, Verdict::failed, e.first.note.empty() ? "launches could not be captured" : e.first.note};
}

}  // namespace

bool beyond_reference(const Case& what) { return what.op->work(what.values).flops > kMostReferenceFlops; }

double reference_tolerance(const Operands& operands) {
  double tolerance = 1e-4;
  for (const Operand& operand : operands) {
    if (operand.dtype == DType::f16) tolerance = std::max(tolerance, 2e-3);
    if (operand.dtype == DType::bf16) tolerance = std::max(tolerance, 1e-2);
    if (operand.dtype == DType::fp8_e4m3) tolerance = std::max(tolerance, 5e-2);
    if (is_block_type(operand.dtype)) tolerance = std::max(tolerance, 2e-2);
  }
  return tolerance;
}

std::vector<HarnessCheck> check_kernel(const Case& what, const KernelEntry& kernel, uint64_t seed,
                                       Device& device) {
  const Operands declared = what.op->operands(what.values);
  CheckRun runner(what, kernel, device);
  const Operands& taken = runner.operands();
  const double tolerance =
      std::max({reference_tolerance(declared), reference_tolerance(taken), runner.kernel().allowed_error()});
  Evidence e{what, taken, tolerance, {}, {}, {}};
  e.content = make_content(declared, taken, seed);
  e.first = runner.run(e.content, kFirstPattern);
  e.second = runner.run(e.content, kSecondPattern);
  std::vector<HarnessCheck> checks = {check_shape(e), check_finite(e), check_not_zero(e), check_repeatable(e),
                                      check_inputs_kept(e)};
  check_against_reference(e, checks);
  for (HarnessCheck& check :
       check_cache({what, e.operands, e.tolerance, e.content, e.first, kFirstPattern, runner}, seed + 1))
    checks.push_back(std::move(check));
  checks.push_back(check_graph(e));
  return checks;
}

}  // namespace perfatlas
