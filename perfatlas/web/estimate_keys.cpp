// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/estimate_keys.h"

#include <fmt/format.h>

#include <vector>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"

namespace perfatlas {
namespace {

using Request = estimate::EstimateRequest;
using Text = const std::string&;

/// Of a value that set_estimate_key() has seen to be one.
int64_t whole(Text value) { return *parse_integer(value); }

constexpr EstimateKey kKeys[] = {
    {"model", false, [](Request& r, Text v) { r.model = v; }},
    {"system", false, [](Request& r, Text v) { r.system = v; }},
    {"backend", false, [](Request& r, Text v) { r.framework = estimate::framework_from_name(v); }},
    {"version", false, [](Request& r, Text v) { r.version = v; }},
    {"mode", false, [](Request& r, Text v) { r.mode = estimate::serving_mode_from_name(v); }},
    {"tp", true, [](Request& r, Text v) { r.worker.parallel.tp = whole(v); }},
    {"pp", true, [](Request& r, Text v) { r.worker.parallel.pp = whole(v); }},
    {"dp", true, [](Request& r, Text v) { r.worker.parallel.dp = whole(v); }},
    {"moe_tp", true, [](Request& r, Text v) { r.worker.parallel.moe_tp = whole(v); }},
    {"moe_ep", true, [](Request& r, Text v) { r.worker.parallel.moe_ep = whole(v); }},
    {"batch", true, [](Request& r, Text v) { r.worker.batch = whole(v); }},
    {"isl", true, [](Request& r, Text v) { r.workload.isl = whole(v); }},
    {"osl", true, [](Request& r, Text v) { r.workload.osl = whole(v); }},
    {"max_seq_len", true, [](Request& r, Text v) { r.worker.limits.max_seq_len = whole(v); }},
    {"prefix", true, [](Request& r, Text v) { r.workload.prefix = whole(v); }},
};

}  // namespace

std::span<const EstimateKey> estimate_keys() { return kKeys; }

void set_estimate_key(Request& request, const std::string& name, const std::string& value) {
  std::vector<std::string_view> known;
  for (const EstimateKey& key : kKeys) {
    known.push_back(key.name);
    if (key.name != name) continue;
    if (key.whole && !parse_integer(value))
      throw UsageError(fmt::format("{} is '{}'; give a whole number", name, value));
    return key.set(request, value);
  }
  throw UsageError(fmt::format("there is no key '{}'; known are {}", name, join_words(known)));
}

}  // namespace perfatlas
