// SPDX-License-Identifier: Apache-2.0
// Records as lines of text and back. Unknown is an absent member, never a null or a zero.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/journal.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;
using nlohmann::json;

constexpr size_t kChecksumDigits = 8;

// ---- writing -----------------------------------------------------------------------------------------------------

template <class T>
void put(Json& object, const char* name, const std::optional<T>& value) {
  if (value) object[name] = *value;
}

void put_text(Json& object, const char* name, const std::string& text) {
  if (!text.empty()) object[name] = text;
}

Json row_json(const Row& row) {
  Json j;
  j["framework"] = row.framework;
  j["version"] = row.version;
  j["device"] = row.device;
  j["kernel_source"] = row.kernel_source;
  j["measured"] = row.measured;
  put(j, "power_w", row.power_w);
  put(j, "power_limit_w", row.power_limit_w);
  if (!row.quality) return j;
  const RowQuality& q = *row.quality;
  j["samples"] = q.samples;
  j["latency_p10_ms"] = q.latency_p10_ms;
  j["latency_p90_ms"] = q.latency_p90_ms;
  j["rel_ci95"] = q.rel_ci95;
  j["cache"] = name_of(q.cache_state);
  j["launch"] = name_of(q.launch);
  put(j, "clock_mhz", q.clock_mhz);
  put(j, "temperature_c", q.temperature_c);
  if (q.throttled) j["throttled"] = true;
  put(j, "energy_mj", q.energy_mj);
  put(j, "efficiency", q.efficiency);
  j["seed"] = q.seed;
  j["run_id"] = q.run_id;
  return j;
}

Json to_json(const RunRecord& r) {
  Json j{{"type", "run"},          {"format", kJournalRevision}, {"run_id", r.run_id},
         {"command", r.command},   {"tool", r.tool_version},     {"date", r.date},
         {"host", r.host},         {"plan", hex16(r.plan_hash)}, {"plan_cases", r.plan_cases},
         {"shard", r.shard},       {"backend", r.backend},       {"backend_version", r.backend_version},
         {"worker", r.worker},     {"device_id", r.device_id},   {"device_name", r.device_name},
         {"versions", r.versions}, {"options", r.options}};
  if (r.plan_kind != "full") j["plan_kind"] = r.plan_kind;
  if (r.plan_total > 0) j["plan_total"] = r.plan_total;
  j["memory_bytes"] = r.device_memory_bytes;
  j["llc_bytes"] = r.device_llc_bytes;
  put_text(j, "system", r.system_json);
  return j;
}

void put_measurement(Json& j, const CaseRecord& r) {
  j["row"] = row_json(*r.row);
  j["samples_ms"] = r.samples_ms;
  if (!r.discarded_ms.empty()) j["discarded_ms"] = r.discarded_ms;
  j["stop"] = name_of(r.stop);
  if (r.suspect) j["suspect"] = true;
  j["launches_per_sample"] = r.launches_per_sample;
  j["bytes_touched"] = r.bytes_touched;
  put_text(j, "launch_note", r.launch_note);
  if (!r.rank_ms.empty()) j["rank_ms"] = r.rank_ms;
}

Json to_json(const CaseRecord& r) {
  Json j{{"type", "case"},
         {"case", r.case_text},
         {"case_id", hex16(r.case_id)},
         {"backend", r.backend},
         {"kernel", r.kernel},
         {"cache", name_of(r.cache)},
         {"outcome", name_of(r.outcome)}};
  if (r.place) j["place"] = r.place->place;
  if (r.place && r.place->audit) j["audit"] = true;
  if (!r.final) j["final"] = false;
  put_text(j, "reason", r.reason);
  j["device_id"] = r.device_id;
  j["attempts"] = r.attempts;
  j["date"] = r.date;
  j["duration_s"] = r.duration_s;
  j["repro"] = r.repro;
  put_text(j, "log", r.log);
  if (r.row) put_measurement(j, r);
  return j;
}

Json to_json(const RerunRecord& r) {
  return {{"type", "rerun"},        {"case", r.case_text},    {"case_id", hex16(r.case_id)},
          {"first_ms", r.first_ms}, {"again_ms", r.again_ms}, {"samples_ms", r.samples_ms}};
}

Json to_json(const BreakerRecord& r) { return {{"type", "stopped_op"}, {"op", r.op}, {"reason", r.reason}}; }

Json to_json(const AuditRecord& r) {
  return {
      {"type", "audit"},     {"family", r.family},   {"places", r.places},     {"audits", r.audits},
      {"p90", r.p90},        {"p90_low", r.p90_low}, {"p90_high", r.p90_high}, {"noise_floor", r.noise_floor},
      {"verdict", r.verdict}};
}

Json to_json(const EndRecord& r) {
  Json j{{"type", "end"},
         {"date", r.date},
         {"why", r.why},
         {"outcomes", r.outcomes},
         {"not_attempted", r.not_attempted}};
  if (r.drift)
    j["drift"] = {{"cases", r.drift->cases},
                  {"p50", r.drift->deviation_p50},
                  {"p95", r.drift->deviation_p95},
                  {"share_over_10_percent", r.drift->share_over_10_percent}};
  return j;
}

// ---- reading -----------------------------------------------------------------------------------------------------

uint64_t read_id(const json& j, const char* name) {
  const std::string text = j.at(name).get<std::string>();
  if (text.size() != 16 || text.find_first_not_of("0123456789abcdef") != text.npos)
    throw Error(fmt::format("{} '{}' is not 16 hexadecimal digits", name, text));
  return std::stoull(text, nullptr, 16);
}

template <class E>
E read_name(const json& j, const char* name) {
  const std::string text = j.at(name).get<std::string>();
  const auto value = from_name<E>(text);
  if (!value) throw Error(fmt::format("unknown {} '{}'", name, text));
  return *value;
}

std::optional<double> read_optional(const json& j, const char* name) {
  return j.contains(name) ? std::optional(j.at(name).get<double>()) : std::nullopt;
}

Row read_row(const json& j, const Case& c, uint64_t id) {
  Row row{.c = c};
  j.at("framework").get_to(row.framework);
  j.at("version").get_to(row.version);
  j.at("device").get_to(row.device);
  j.at("kernel_source").get_to(row.kernel_source);
  j.at("measured").get_to(row.measured);
  if (row.measured.size() != c.op->info.measured.size())
    throw Error(fmt::format("{} measured values where op {} has {}", row.measured.size(), c.op->info.id,
                            c.op->info.measured.size()));
  row.power_w = read_optional(j, "power_w");
  row.power_limit_w = read_optional(j, "power_limit_w");
  if (!j.contains("samples")) return row;
  RowQuality& q = row.quality.emplace();
  j.at("samples").get_to(q.samples);
  j.at("latency_p10_ms").get_to(q.latency_p10_ms);
  j.at("latency_p90_ms").get_to(q.latency_p90_ms);
  j.at("rel_ci95").get_to(q.rel_ci95);
  q.cache_state = read_name<CacheState>(j, "cache");
  q.launch = read_name<LaunchMode>(j, "launch");
  q.clock_mhz = read_optional(j, "clock_mhz");
  q.temperature_c = read_optional(j, "temperature_c");
  q.throttled = j.value("throttled", false);
  q.energy_mj = read_optional(j, "energy_mj");
  q.efficiency = read_optional(j, "efficiency");
  j.at("seed").get_to(q.seed);
  q.case_id = id;
  j.at("run_id").get_to(q.run_id);
  return row;
}

RunRecord read_run(const json& j) {
  RunRecord r;
  j.at("run_id").get_to(r.run_id);
  j.at("command").get_to(r.command);
  j.at("tool").get_to(r.tool_version);
  j.at("date").get_to(r.date);
  j.at("host").get_to(r.host);
  r.plan_hash = read_id(j, "plan");
  j.at("plan_cases").get_to(r.plan_cases);
  j.at("shard").get_to(r.shard);
  j.at("backend").get_to(r.backend);
  j.at("backend_version").get_to(r.backend_version);
  j.at("worker").get_to(r.worker);
  j.at("device_id").get_to(r.device_id);
  j.at("device_name").get_to(r.device_name);
  j.at("versions").get_to(r.versions);
  j.at("options").get_to(r.options);
  j.at("memory_bytes").get_to(r.device_memory_bytes);
  j.at("llc_bytes").get_to(r.device_llc_bytes);
  r.plan_kind = j.value("plan_kind", "full");
  r.plan_total = j.value("plan_total", uint64_t{0});
  r.system_json = j.value("system", "");
  return r;
}

void read_measurement(const json& j, const Case& c, CaseRecord& r) {
  r.row = read_row(j.at("row"), c, r.case_id);
  j.at("samples_ms").get_to(r.samples_ms);
  r.discarded_ms = j.value("discarded_ms", std::vector<double>{});
  r.stop = read_name<StopReason>(j, "stop");
  r.suspect = j.value("suspect", false);
  j.at("launches_per_sample").get_to(r.launches_per_sample);
  j.at("bytes_touched").get_to(r.bytes_touched);
  r.launch_note = j.value("launch_note", "");
  r.rank_ms = j.value("rank_ms", std::vector<std::vector<double>>{});
}

CaseRecord read_case(const json& j, const OpRegistry& ops) {
  CaseRecord r;
  j.at("case").get_to(r.case_text);
  r.case_id = read_id(j, "case_id");
  const Case c = ops.parse_case(r.case_text);
  if (case_id(c) != r.case_id)
    throw Error(fmt::format("case '{}' no longer has the id {}: the op's revision was raised", r.case_text,
                            hex16(r.case_id)));
  j.at("backend").get_to(r.backend);
  j.at("kernel").get_to(r.kernel);
  r.cache = read_name<CacheState>(j, "cache");
  r.outcome = read_name<Outcome>(j, "outcome");
  if (j.contains("place")) r.place = PlanPlace{j.at("place").get<uint32_t>(), j.value("audit", false)};
  r.final = j.value("final", true);
  r.reason = j.value("reason", "");
  j.at("device_id").get_to(r.device_id);
  j.at("attempts").get_to(r.attempts);
  j.at("date").get_to(r.date);
  j.at("duration_s").get_to(r.duration_s);
  j.at("repro").get_to(r.repro);
  r.log = j.value("log", "");
  if (r.outcome == Outcome::measured) read_measurement(j, c, r);
  return r;
}

RerunRecord read_rerun(const json& j) {
  RerunRecord r;
  j.at("case").get_to(r.case_text);
  r.case_id = read_id(j, "case_id");
  j.at("first_ms").get_to(r.first_ms);
  j.at("again_ms").get_to(r.again_ms);
  j.at("samples_ms").get_to(r.samples_ms);
  return r;
}

AuditRecord read_audit(const json& j) {
  return {j.at("family"),  j.at("places"),   j.at("audits"),      j.at("p90"),
          j.at("p90_low"), j.at("p90_high"), j.at("noise_floor"), j.at("verdict")};
}

EndRecord read_end(const json& j) {
  EndRecord r;
  j.at("date").get_to(r.date);
  j.at("why").get_to(r.why);
  j.at("outcomes").get_to(r.outcomes);
  j.at("not_attempted").get_to(r.not_attempted);
  if (!j.contains("drift")) return r;
  const json& d = j.at("drift");
  r.drift = DriftFigures{.cases = d.at("cases"),
                         .deviation_p50 = d.at("p50"),
                         .deviation_p95 = d.at("p95"),
                         .share_over_10_percent = d.at("share_over_10_percent")};
  return r;
}

JournalRecord read_record(const json& j, const OpRegistry& ops) {
  const std::string type = j.at("type").get<std::string>();
  if (type == "run") return read_run(j);
  if (type == "case") return read_case(j, ops);
  if (type == "rerun") return read_rerun(j);
  if (type == "stopped_op") return BreakerRecord{j.at("op"), j.at("reason")};
  if (type == "audit") return read_audit(j);
  if (type == "end") return read_end(j);
  throw Error(fmt::format("unknown record type '{}'", type));
}

/// The JSON part of a line, after its checksum was found right.
std::string_view verified(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (line.size() < kChecksumDigits + 3 || line[kChecksumDigits] != ' ')
    throw Error("torn line: it does not begin with a checksum and a space");
  const std::string_view text = line.substr(kChecksumDigits + 1);
  if (fmt::format("{:08x}", checksum32(text)) != line.substr(0, kChecksumDigits))
    throw Error("torn or damaged line: its checksum does not match");
  return text;
}

}  // namespace

std::string format_record(const JournalRecord& record) {
  const std::string text =
      std::visit([](const auto& r) { return to_json(r); }, record)
          .dump(-1, ' ', false, Json::error_handler_t::replace);  // foreign bytes in reasons
  return fmt::format("{:08x} {}\n", checksum32(text), text);
}

JournalRecord parse_record(std::string_view line, const OpRegistry& ops) {
  const std::string_view text = verified(line);
  try {
    const json j = json::parse(text);
    if (const int revision = j.value("format", kJournalRevision); revision > kJournalRevision)
      throw NewerJournal(revision);
    return read_record(j, ops);
  } catch (const json::exception& e) {
    throw Error(fmt::format("not a record: {}", e.what()));
  }
}

}  // namespace perfatlas
