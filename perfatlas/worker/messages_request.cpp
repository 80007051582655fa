// SPDX-License-Identifier: Apache-2.0
#include <climits>

#include "perfatlas/base/error.h"
#include "perfatlas/worker/messages.h"
#include "perfatlas/worker/protocol_json.h"

namespace perfatlas {
namespace {

using nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // lines read best in the order written

constexpr int64_t kMostRepetitions = 1'000'000;

void put(OrderedJson& line, const HelloRequest& request) {
  line["request"] = "hello";
  line["protocol"] = request.protocol;
}

void put(OrderedJson& line, const ProbeRequest& request) {
  line["request"] = "probe";
  line["budget_s"] = request.budget_s;
}

void put_selector(OrderedJson& line, const KernelSelector& what) {
  line["case"] = what.case_text;
  line["backend"] = what.backend;
  line["kernel"] = what.kernel;
  line["seed"] = what.seed;
}

void put(OrderedJson& line, const KernelsRequest& request) {
  line["request"] = "kernels";
  line["case"] = request.case_text;
}

void put(OrderedJson& line, const CheckRequest& request) {
  line["request"] = "check";
  put_selector(line, request.what);
}

void put(OrderedJson& line, const SampleRequest& request) {
  line["request"] = "sample";
  put_selector(line, request.what);
  line["cache"] = name_of(request.cache);
  line["warmups"] = request.warmups;
  line["repetitions"] = request.repetitions;
  line["min_sample_ms"] = request.min_sample_ms;
  line["max_total_ms"] = request.max_total_ms;
  line["allow_graph_fail"] = request.allow_graph_fail;
  line["measure_energy"] = request.measure_energy;
}

KernelSelector read_selector(ObjectReader& in) {
  KernelSelector what;
  what.case_text = in.text("case");
  if (in.has("backend")) what.backend = in.text("backend");
  if (in.has("kernel")) what.kernel = in.text("kernel");
  if (in.has("seed")) what.seed = in.natural("seed");
  return what;
}

SampleRequest read_sample(ObjectReader& in) {
  SampleRequest request;
  request.what = read_selector(in);
  if (in.has("cache")) {
    const auto cache = from_name<CacheState>(in.text("cache"));
    if (!cache) in.fail("cache", "serving, hot or cold");
    request.cache = *cache;
  }
  if (in.has("warmups")) request.warmups = int(in.integer("warmups", 0, kMostRepetitions));
  if (in.has("repetitions")) request.repetitions = int(in.integer("repetitions", 1, kMostRepetitions));
  if (in.has("min_sample_ms")) request.min_sample_ms = in.real("min_sample_ms", 0);
  if (in.has("max_total_ms")) request.max_total_ms = in.real("max_total_ms", 0);
  if (in.has("allow_graph_fail")) request.allow_graph_fail = in.boolean("allow_graph_fail");
  if (in.has("measure_energy")) request.measure_energy = in.boolean("measure_energy");
  return request;
}

Request read_body(ObjectReader& in, const std::string& kind) {
  if (kind == "hello") {
    HelloRequest request;
    if (in.has("protocol")) request.protocol = int(in.integer("protocol", 1, INT_MAX));
    return request;
  }
  if (kind == "probe") {
    ProbeRequest request;
    if (in.has("budget_s")) request.budget_s = in.real("budget_s", 0);
    return request;
  }
  if (kind == "kernels") return KernelsRequest{in.text("case")};
  if (kind == "check") return CheckRequest{read_selector(in)};
  if (kind == "sample") return read_sample(in);
  in.fail("request", "hello, probe, kernels, check or sample");
}

}  // namespace

std::string format_request(int64_t id, const Request& request) {
  OrderedJson line = {{"id", id}};
  std::visit([&](const auto& r) { put(line, r); }, request);
  return json_line(line);
}

NumberedRequest parse_request(std::string_view line) {
  const json value = parse_json_line(line);
  ObjectReader in(value, "request");
  NumberedRequest numbered;
  numbered.id = in.integer("id", 0, INT64_MAX);
  const std::string kind = in.text("request");
  numbered.request = read_body(in, kind);
  in.finish();
  return numbered;
}

}  // namespace perfatlas
