// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/collect/misbehaviour.h"

#include <fmt/format.h>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/schema/dtype.h"

namespace perfatlas {

template <>
inline constexpr auto kEnumNames<Fault> = std::array{
    EnumName<Fault>{Fault::segv, "segv"},         EnumName<Fault>{Fault::abort, "abort"},
    EnumName<Fault>{Fault::exit, "exit"},         EnumName<Fault>{Fault::hang, "hang"},
    EnumName<Fault>{Fault::garbage, "garbage"},   EnumName<Fault>{Fault::half_line, "half_line"},
    EnumName<Fault>{Fault::late, "late"},         EnumName<Fault>{Fault::leak, "leak"},
    EnumName<Fault>{Fault::lie, "lie"},           EnumName<Fault>{Fault::wrong_id, "wrong_id"},
    EnumName<Fault>{Fault::throttle, "throttle"}, EnumName<Fault>{Fault::noise, "noise"},
    EnumName<Fault>{Fault::fail, "fail"},         EnumName<Fault>{Fault::skip, "skip"},
    EnumName<Fault>{Fault::zero, "zero"},         EnumName<Fault>{Fault::other_kernel, "other_kernel"}};

FaultRule parse_fault_rule(std::string_view text) {
  const auto parts = split(text, ':');
  FaultRule rule;
  bool known = false;
  for (const auto& entry : kEnumNames<Fault>)
    if (entry.name == parts[0]) rule.fault = entry.value, known = true;
  if (!known || parts.size() < 2 || parts.size() > 3)
    throw Error(fmt::format("'{}' is not FAULT:SELECTOR[:TIMES]", text));
  rule.rate = parse_real(parts[1]);
  if (!rule.rate) rule.text = parts[1];
  if (parts.size() == 3) rule.times = int(parse_integer(parts[2]).value_or(1));
  return rule;
}

bool applies(const FaultRule& rule, std::string_view case_text, uint64_t case_hash) {
  if (!rule.rate) return case_text.find(rule.text) != case_text.npos;
  // Another fault picks other cases, although the case is the same.
  const uint64_t draw = combine_hashes(case_hash, uint64_t(rule.fault));
  return double(draw >> 11) * 0x1p-53 < *rule.rate;
}

}  // namespace perfatlas
