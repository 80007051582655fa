// SPDX-License-Identifier: Apache-2.0
// Writes what a reference computes, so that a program in another language can compute it again.
//
//   dump_reference "moe tokens=5 hidden=8 ..." SEED
//
// The case is an op id and column=value (or flag=value) pairs; fields not named keep their defaults. Prints one JSON
// object: {"operands": [{"name", "dtype", "shape", "before": [...], "after": [...]}]} in declaration order, values in
// row-major order. `before` is the seeded content (outputs: zeros), `after` what the reference leaves.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "perfatlas/backends/operand_fill.h"
#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/ops/all_ops.h"

namespace perfatlas {
namespace {

Case parse_case(const OpRegistry& ops, std::string_view text) {
  const auto words = split(trim(text), ' ');
  const OpType& op = ops.get(words[0]);
  Case c{&op, op.defaults()};
  for (size_t i = 1; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == words[i].npos) throw UsageError(fmt::format("'{}' is no field=value pair", words[i]));
    set_field(c, words[i].substr(0, equals), words[i].substr(equals + 1));
  }
  if (const std::string_view why = op.why_invalid(c.values); !why.empty())
    throw UsageError(fmt::format("{}: {}", case_text(c), why));
  if (!op.measurable() || op.reference == nullptr)
    throw UsageError(fmt::format("op {} has no reference", op.info.id));
  return c;
}

std::string json_values(const HostOperand& operand) {
  std::string text;
  const auto append = [&](const std::string& value) { (text += text.empty() ? "" : ",") += value; };
  for (const float value : operand.values)
    append(std::isfinite(value) ? fmt::format("{}", value) : std::string("null"));
  for (const int32_t index : operand.indices) append(fmt::format("{}", index));
  return text;
}

void dump(const Case& c, uint64_t seed) {
  std::vector<HostOperand> before;
  for (const Operand& operand : c.op->operands(c.values)) before.push_back(make_host_operand(operand, seed));
  std::vector<HostOperand> after = before;
  c.op->reference(c.values, after);
  fmt::print("{{\"operands\":[");
  for (size_t i = 0; i < before.size(); ++i) {
    const Operand& declared = before[i].declared;
    fmt::print("{}\n{{\"name\":\"{}\",\"dtype\":\"{}\",\"shape\":[{}],\"before\":[{}],\"after\":[{}]}}",
               i == 0 ? "" : ",", declared.name, name_of(declared.dtype), fmt::join(declared.shape, ","),
               json_values(before[i]), json_values(after[i]));
  }
  fmt::print("\n]}}\n");
}

}  // namespace
}  // namespace perfatlas

int main(int argc, char** argv) {
  try {
    const auto seed = argc == 3 ? perfatlas::parse_integer(argv[2]) : std::nullopt;
    if (!seed) throw perfatlas::UsageError("usage: dump_reference CASE SEED");
    const perfatlas::OpRegistry ops = perfatlas::all_ops();
    perfatlas::dump(perfatlas::parse_case(ops, argv[1]), uint64_t(*seed));
    return 0;
  } catch (const perfatlas::Error& error) {
    std::fprintf(stderr, "dump_reference: %s\n", error.what());
    return 2;
  }
}
