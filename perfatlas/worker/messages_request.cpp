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

void put_offer(OrderedJson& line, const OperandOffer& offer) {
  if (offer.operands.empty()) return;
  line["operands"] = OrderedJson::array();
  for (const OfferedOperand& operand : offer.operands) {
    OrderedJson entry = {
        {"name", operand.name},   {"role", name_of(operand.role)}, {"dtype", name_of(operand.dtype)},
        {"shape", operand.shape}, {"fill", name_of(operand.fill)}, {"written", operand.written}};
    if (!operand.content.empty()) entry["content"] = operand.content;
    line["operands"].push_back(std::move(entry));
  }
  line["streamed_bytes"] = offer.streamed_bytes;
}

void put_selector(OrderedJson& line, const KernelSelector& what) {
  line["case"] = what.case_text;
  line["backend"] = what.backend;
  line["kernel"] = what.kernel;
  line["seed"] = what.seed;
  put_offer(line, what.offer);
}

void put(OrderedJson& line, const KernelsRequest& request) {
  line["request"] = "kernels";
  line["case"] = request.case_text;
  put_offer(line, request.offer);
}

void put(OrderedJson& line, const CheckRequest& request) {
  line["request"] = "check";
  put_selector(line, request.what);
}

void put(OrderedJson& line, const LaunchRequest& request) {
  line["request"] = "launch";
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

void put(OrderedJson& line, const StepRequest& request) {
  line["request"] = "step";
  line["cases"] = request.cases;
  line["order"] = request.order;
  line["backend"] = request.backend;
  line["seed"] = request.seed;
  line["warmups"] = request.warmups;
  line["repetitions"] = request.repetitions;
  line["max_total_ms"] = request.max_total_ms;
  line["allow_graph_fail"] = request.allow_graph_fail;
}

OfferedOperand read_operand(const json& value) {
  ObjectReader in(value, "offered operand");
  OfferedOperand operand;
  operand.name = in.text("name");
  operand.role = in.enumerator<OperandRole>("role");
  operand.dtype = in.enumerator<DType>("dtype");
  for (const json& extent : in.array("shape")) {
    if (!extent.is_number_integer() || extent.get<int64_t>() < 0) in.fail("shape", "an array of sizes");
    operand.shape.push_back(extent.get<int64_t>());
  }
  operand.fill = in.enumerator<Fill>("fill");
  operand.written = in.boolean("written");
  if (in.has("content")) operand.content = in.text("content");
  in.finish();
  return operand;
}

OperandOffer read_offer(ObjectReader& in) {
  OperandOffer offer;
  if (!in.has("operands")) return offer;
  for (const json& value : in.array("operands")) offer.operands.push_back(read_operand(value));
  offer.streamed_bytes = in.real("streamed_bytes", 0);
  return offer;
}

KernelSelector read_selector(ObjectReader& in) {
  KernelSelector what;
  what.case_text = in.text("case");
  if (in.has("backend")) what.backend = in.text("backend");
  if (in.has("kernel")) what.kernel = in.text("kernel");
  if (in.has("seed")) what.seed = in.natural("seed");
  what.offer = read_offer(in);
  return what;
}

SampleRequest read_sample(ObjectReader& in) {
  SampleRequest request;
  request.what = read_selector(in);
  if (in.has("cache")) request.cache = in.enumerator<CacheState>("cache");
  if (in.has("warmups")) request.warmups = int(in.integer("warmups", 0, kMostRepetitions));
  if (in.has("repetitions")) request.repetitions = int(in.integer("repetitions", 1, kMostRepetitions));
  if (in.has("min_sample_ms")) request.min_sample_ms = in.real("min_sample_ms", 0);
  if (in.has("max_total_ms")) request.max_total_ms = in.real("max_total_ms", 0);
  if (in.has("allow_graph_fail")) request.allow_graph_fail = in.boolean("allow_graph_fail");
  if (in.has("measure_energy")) request.measure_energy = in.boolean("measure_energy");
  return request;
}

StepRequest read_step(ObjectReader& in) {
  StepRequest request;
  for (const json& value : in.array("cases")) {
    if (!value.is_string()) in.fail("cases", "an array of case texts");
    request.cases.push_back(value.get<std::string>());
  }
  for (const json& value : in.array("order")) {
    if (!value.is_number_integer() || value.get<int64_t>() < 0 ||
        value.get<int64_t>() >= int64_t(request.cases.size()))
      in.fail("order", "an array of indices into cases");
    request.order.push_back(value.get<int64_t>());
  }
  if (request.order.empty()) in.fail("order", "an array with at least one index");
  if (in.has("backend")) request.backend = in.text("backend");
  if (in.has("seed")) request.seed = in.natural("seed");
  if (in.has("warmups")) request.warmups = int(in.integer("warmups", 0, kMostRepetitions));
  if (in.has("repetitions")) request.repetitions = int(in.integer("repetitions", 1, kMostRepetitions));
  if (in.has("max_total_ms")) request.max_total_ms = in.real("max_total_ms", 0);
  if (in.has("allow_graph_fail")) request.allow_graph_fail = in.boolean("allow_graph_fail");
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
  if (kind == "kernels") {
    std::string case_text = in.text("case");
    return KernelsRequest{std::move(case_text), read_offer(in)};
  }
  if (kind == "check") return CheckRequest{read_selector(in)};
  if (kind == "launch") return LaunchRequest{read_selector(in)};
  if (kind == "sample") return read_sample(in);
  if (kind == "step") return read_step(in);
  in.fail("request", "hello, probe, kernels, check, launch, sample or step");
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
