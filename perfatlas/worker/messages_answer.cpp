// SPDX-License-Identifier: Apache-2.0
#include <climits>
#include <limits>

#include "perfatlas/base/error.h"
#include "perfatlas/worker/messages.h"
#include "perfatlas/worker/protocol_json.h"

namespace perfatlas {
namespace {

using nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // lines read best in the order written

constexpr double kAnyReal = std::numeric_limits<double>::lowest();

// ---- writing ---------------------------------------------------------------------------------------------------

OrderedJson sensors_json(const SensorReading& reading) {
  OrderedJson out = OrderedJson::object();
  const auto put = [&](const char* key, const auto& value) {
    if (value) out[key] = *value;
  };
  put("clock_mhz", reading.clock_mhz);
  put("temperature_c", reading.temperature_c);
  put("power_w", reading.power_w);
  put("power_limit_w", reading.power_limit_w);
  put("energy_mj", reading.energy_mj);
  put("throttle", reading.throttle);
  return out;
}

OrderedJson peak_json(const ProbeAnswer::Peak& peak) {
  return {{"value", peak.value}, {"rel_ci95", peak.rel_ci95}};
}

void put(OrderedJson& line, const HelloAnswer& answer) {
  line["answer"] = "hello";
  line["protocol"] = answer.protocol;
  line["worker"] = answer.worker;
  line["device"] = {{"id", answer.device.id},
                    {"name", answer.device.name},
                    {"memory_bytes", answer.device.memory_bytes},
                    {"llc_bytes", answer.device.llc_bytes},
                    {"versions", answer.device.versions}};
  line["backends"] = answer.backends;
  line["kernels"] = OrderedJson::array();
  for (const WorkerKernel& kernel : answer.kernels)
    line["kernels"].push_back({{"op", kernel.op}, {"name", kernel.name}, {"backend", kernel.backend}});
  if (answer.wants_operands) line["wants_operands"] = true;
}

void put(OrderedJson& line, const ProbeAnswer& answer) {
  line["answer"] = "probe";
  if (answer.memory_bandwidth) line["memory_bandwidth"] = peak_json(*answer.memory_bandwidth);
  if (answer.llc_bandwidth) line["llc_bandwidth"] = peak_json(*answer.llc_bandwidth);
  line["flops"] = OrderedJson::object();
  for (const auto& [dtype, peak] : answer.flops) line["flops"][std::string(name_of(dtype))] = peak_json(peak);
}

void put(OrderedJson& line, const KernelsAnswer& answer) {
  line["answer"] = "kernels";
  line["kernels"] = OrderedJson::array();
  for (const KernelsAnswer::Entry& entry : answer.kernels)
    line["kernels"].push_back(
        {{"backend", entry.backend}, {"kernel", entry.kernel}, {"reason", entry.reason}});
}

void put(OrderedJson& line, const CheckAnswer& answer) {
  line["answer"] = "check";
  line["kernel_source"] = answer.kernel_source;
  line["results"] = OrderedJson::array();
  for (const CheckResult& result : answer.results)
    line["results"].push_back({{"name", result.name},
                               {"passed", result.passed},
                               {"skipped", result.skipped},
                               {"detail", result.detail}});
}

void put(OrderedJson& line, const LaunchAnswer& answer) {
  line["answer"] = "launch";
  line["kernel_source"] = answer.kernel_source;
  line["overrun"] = answer.overrun;
}

void put(OrderedJson& line, const SampleAnswer& answer) {
  line["answer"] = "sample";
  line["kernel_source"] = answer.kernel_source;
  line["latency_ms"] = answer.samples.latency_ms;
  line["launches_per_sample"] = answer.samples.launches_per_sample;
  line["bytes_touched"] = answer.samples.bytes_touched;
  line["cache"] = name_of(answer.samples.cache);
  line["launch"] = name_of(answer.samples.launch);
  line["launch_note"] = answer.samples.launch_note;
  line["before"] = sensors_json(answer.samples.before);
  line["after"] = sensors_json(answer.samples.after);
  if (!answer.rank_ms.empty()) line["rank_ms"] = answer.rank_ms;
}

void put(OrderedJson& line, const StepAnswer& answer) {
  line["answer"] = "step";
  line["kernel_sources"] = answer.kernel_sources;
  line["total_ms"] = answer.total_ms;
  line["cases_ms"] = answer.cases_ms;
  line["streamed_bytes"] = answer.streamed_bytes;
  line["launch"] = name_of(answer.launch);
  line["launch_note"] = answer.launch_note;
}

void put(OrderedJson& line, const SkippedAnswer& answer) {
  line["answer"] = "skipped";
  line["reason"] = answer.reason;
}

void put(OrderedJson& line, const FailedAnswer& answer) {
  line["answer"] = "failed";
  line["error"] = answer.error;
}

// ---- reading ---------------------------------------------------------------------------------------------------

SensorReading read_sensors(const json& value, std::string what) {
  ObjectReader in(value, std::move(what));
  SensorReading reading;
  const auto take = [&](std::string_view key, std::optional<double>& to, double least) {
    if (in.has(key)) to = in.real(key, least);
  };
  take("clock_mhz", reading.clock_mhz, 0);
  take("temperature_c", reading.temperature_c, kAnyReal);
  take("power_w", reading.power_w, 0);
  take("power_limit_w", reading.power_limit_w, 0);
  take("energy_mj", reading.energy_mj, 0);
  if (in.has("throttle")) reading.throttle = in.text("throttle");
  in.finish();
  return reading;
}

ProbeAnswer::Peak read_peak(const json& value, std::string what) {
  ObjectReader in(value, std::move(what));
  const ProbeAnswer::Peak peak{in.real("value", 0), in.real("rel_ci95", 0)};
  in.finish();
  return peak;
}

WorkerDevice read_device(const json& value) {
  ObjectReader in(value, "hello answer device");
  WorkerDevice device;
  device.id = in.text("id");
  device.name = in.text("name");
  device.memory_bytes = in.real("memory_bytes", 0);
  device.llc_bytes = in.real("llc_bytes", 0);
  device.versions = in.texts("versions");
  in.finish();
  return device;
}

HelloAnswer read_hello(ObjectReader& in) {
  HelloAnswer answer;
  answer.protocol = int(in.integer("protocol", 1, INT_MAX));
  answer.worker = in.text("worker");
  answer.device = read_device(in.object("device"));
  answer.backends = in.texts("backends");
  for (const json& value : in.array("kernels")) {
    ObjectReader kernel(value, "hello answer kernel");
    answer.kernels.push_back({kernel.text("op"), kernel.text("name"), kernel.text("backend")});
    kernel.finish();
  }
  if (in.has("wants_operands")) answer.wants_operands = in.boolean("wants_operands");
  return answer;
}

ProbeAnswer read_probe(ObjectReader& in) {
  ProbeAnswer answer;
  if (in.has("memory_bandwidth"))
    answer.memory_bandwidth = read_peak(in.object("memory_bandwidth"), "probe answer memory_bandwidth");
  if (in.has("llc_bandwidth"))
    answer.llc_bandwidth = read_peak(in.object("llc_bandwidth"), "probe answer llc_bandwidth");
  for (const auto& [name, value] : in.object("flops").items()) {
    const auto dtype = from_name<DType>(name);
    if (!dtype) in.fail("flops", "an object whose keys are element types; '" + name + "' is none");
    answer.flops[*dtype] = read_peak(value, "probe answer flops " + name);
  }
  return answer;
}

KernelsAnswer read_kernels(ObjectReader& in) {
  KernelsAnswer answer;
  for (const json& value : in.array("kernels")) {
    ObjectReader entry(value, "kernels answer entry");
    answer.kernels.push_back({entry.text("backend"), entry.text("kernel"), entry.text("reason")});
    entry.finish();
  }
  return answer;
}

CheckAnswer read_check(ObjectReader& in) {
  CheckAnswer answer{in.text("kernel_source"), {}};
  for (const json& value : in.array("results")) {
    ObjectReader result(value, "check answer result");
    answer.results.push_back(
        {result.text("name"), result.boolean("passed"), result.boolean("skipped"), result.text("detail")});
    result.finish();
  }
  return answer;
}

std::vector<double> read_reals(ObjectReader& in, std::string_view key, const json& values) {
  std::vector<double> reals;
  for (const json& value : values) {
    if (!value.is_number()) in.fail(key, "an array of numbers");
    reals.push_back(value.get<double>());
  }
  return reals;
}

StepAnswer read_step(ObjectReader& in) {
  StepAnswer answer;
  for (const json& value : in.array("kernel_sources")) {
    if (!value.is_string()) in.fail("kernel_sources", "an array of texts");
    answer.kernel_sources.push_back(value.get<std::string>());
  }
  answer.total_ms = read_reals(in, "total_ms", in.array("total_ms"));
  for (const json& values : in.array("cases_ms")) {
    if (!values.is_array()) in.fail("cases_ms", "an array of arrays of numbers");
    answer.cases_ms.push_back(read_reals(in, "cases_ms", values));
  }
  if (answer.cases_ms.size() != answer.kernel_sources.size())
    in.fail("cases_ms", "one entry per kernel source");
  answer.streamed_bytes = in.real("streamed_bytes", 0);
  answer.launch = in.enumerator<LaunchMode>("launch");
  answer.launch_note = in.text("launch_note");
  return answer;
}

LaunchAnswer read_launch(ObjectReader& in) {
  LaunchAnswer answer;
  answer.kernel_source = in.text("kernel_source");
  for (const json& value : in.array("overrun")) {
    if (!value.is_string()) in.fail("overrun", "an array of texts");
    answer.overrun.push_back(value.get<std::string>());
  }
  return answer;
}

SampleAnswer read_sample(ObjectReader& in) {
  SampleAnswer answer;
  answer.kernel_source = in.text("kernel_source");
  Samples& samples = answer.samples;
  samples.latency_ms = read_reals(in, "latency_ms", in.array("latency_ms"));
  samples.launches_per_sample = int(in.integer("launches_per_sample", 1, INT_MAX));
  samples.bytes_touched = in.real("bytes_touched", 0);
  samples.cache = in.enumerator<CacheState>("cache");
  samples.launch = in.enumerator<LaunchMode>("launch");
  samples.launch_note = in.text("launch_note");
  samples.before = read_sensors(in.object("before"), "sample answer before");
  samples.after = read_sensors(in.object("after"), "sample answer after");
  if (in.has("rank_ms"))
    for (const json& values : in.array("rank_ms")) {
      if (!values.is_array()) in.fail("rank_ms", "an array of arrays of numbers");
      answer.rank_ms.push_back(read_reals(in, "rank_ms", values));
    }
  return answer;
}

WorkerAnswer read_body(ObjectReader& in, const std::string& kind) {
  if (kind == "hello") return read_hello(in);
  if (kind == "probe") return read_probe(in);
  if (kind == "kernels") return read_kernels(in);
  if (kind == "check") return read_check(in);
  if (kind == "launch") return read_launch(in);
  if (kind == "sample") return read_sample(in);
  if (kind == "step") return read_step(in);
  if (kind == "skipped") return SkippedAnswer{in.text("reason")};
  if (kind == "failed") return FailedAnswer{in.text("error")};
  in.fail("answer", "hello, probe, kernels, check, launch, sample, step, skipped or failed");
}

}  // namespace

std::string format_answer(int64_t id, const WorkerAnswer& answer) {
  OrderedJson line = {{"id", id}};
  std::visit([&](const auto& a) { put(line, a); }, answer);
  return json_line(line);
}

NumberedAnswer parse_answer(std::string_view line) {
  const json value = parse_json_line(line);
  ObjectReader in(value, "answer");
  NumberedAnswer numbered;
  numbered.id = in.integer("id", 0, INT64_MAX);
  const std::string kind = in.text("answer");
  numbered.answer = read_body(in, kind);
  in.finish();
  return numbered;
}

}  // namespace perfatlas
