// SPDX-License-Identifier: Apache-2.0
// Records as lines of text and back. Unknown is an absent member, never a null or a zero.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>

#include "perfatlas/base/error.h"
#include "perfatlas/base/flat_json.h"
#include "perfatlas/base/hash.h"
#include "perfatlas/base/text.h"
#include "perfatlas/collect/journal.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

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
  Json j{
      {"type", "audit"},     {"family", r.family},   {"places", r.places},     {"audits", r.audits},
      {"p90", r.p90},        {"p90_low", r.p90_low}, {"p90_high", r.p90_high}, {"noise_floor", r.noise_floor},
      {"verdict", r.verdict}};
  put(j, "target", r.target);
  return j;
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

uint64_t read_id(const JsonView& j, const char* name) {
  const std::string_view text = j.text(name);
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size() ||
      text.find_first_of("ABCDEF") != text.npos)
    throw Error(fmt::format("{} '{}' is not 16 hexadecimal digits", name, text));
  return id;
}

template <class E>
E read_name(const JsonView& j, const char* name) {
  const auto value = from_name<E>(j.text(name));
  if (!value) throw Error(fmt::format("unknown {} '{}'", name, j.text(name)));
  return *value;
}

std::optional<double> read_optional(const JsonView& j, const char* name) {
  return j.has(name) ? std::optional(j.real(name)) : std::nullopt;
}

std::string read_text(const JsonView& j, const char* name, std::string_view otherwise = "") {
  return std::string(j.has(name) ? j.text(name) : otherwise);
}

bool read_truth(const JsonView& j, const char* name, bool otherwise) {
  return j.has(name) ? j.truth(name) : otherwise;
}

std::map<std::string, std::string> read_texts(const JsonView& j) {
  std::map<std::string, std::string> texts;
  for (const std::string_view name : j.names()) texts.emplace(name, j.text(name));
  return texts;
}

Row read_row(const JsonView& j, const Case& c, uint64_t id) {
  Row row{.c = c};
  row.framework = j.text("framework");
  row.version = j.text("version");
  row.device = j.text("device");
  row.kernel_source = j.text("kernel_source");
  row.measured = j.reals("measured");
  if (row.measured.size() != c.op->info.measured.size())
    throw Error(fmt::format("{} measured values where op {} has {}", row.measured.size(), c.op->info.id,
                            c.op->info.measured.size()));
  row.power_w = read_optional(j, "power_w");
  row.power_limit_w = read_optional(j, "power_limit_w");
  if (!j.has("samples")) return row;
  RowQuality& q = row.quality.emplace();
  q.samples = j.whole<int64_t>("samples");
  q.latency_p10_ms = j.real("latency_p10_ms");
  q.latency_p90_ms = j.real("latency_p90_ms");
  q.rel_ci95 = j.real("rel_ci95");
  q.cache_state = read_name<CacheState>(j, "cache");
  q.launch = read_name<LaunchMode>(j, "launch");
  q.clock_mhz = read_optional(j, "clock_mhz");
  q.temperature_c = read_optional(j, "temperature_c");
  q.throttled = read_truth(j, "throttled", false);
  q.energy_mj = read_optional(j, "energy_mj");
  q.efficiency = read_optional(j, "efficiency");
  q.seed = j.whole<uint64_t>("seed");
  q.case_id = id;
  q.run_id = j.text("run_id");
  return row;
}

RunRecord read_run(const JsonView& j) {
  RunRecord r;
  r.run_id = j.text("run_id");
  r.command = j.text("command");
  r.tool_version = j.text("tool");
  r.date = j.text("date");
  r.host = j.text("host");
  r.plan_hash = read_id(j, "plan");
  r.plan_cases = j.whole<uint64_t>("plan_cases");
  r.shard = j.text("shard");
  r.backend = j.text("backend");
  r.backend_version = j.text("backend_version");
  r.worker = j.text("worker");
  r.device_id = j.text("device_id");
  r.device_name = j.text("device_name");
  r.versions = read_texts(j.object("versions"));
  r.options = read_texts(j.object("options"));
  r.device_memory_bytes = j.real("memory_bytes");
  r.device_llc_bytes = j.real("llc_bytes");
  r.plan_kind = read_text(j, "plan_kind", "full");
  if (j.has("plan_total")) r.plan_total = j.whole<uint64_t>("plan_total");
  r.system_json = read_text(j, "system");
  return r;
}

void read_measurement(const JsonView& j, const Case& c, CaseRecord& r) {
  r.row = read_row(j.object("row"), c, r.case_id);
  r.samples_ms = j.reals("samples_ms");
  if (j.has("discarded_ms")) r.discarded_ms = j.reals("discarded_ms");
  r.stop = read_name<StopReason>(j, "stop");
  r.suspect = read_truth(j, "suspect", false);
  r.launches_per_sample = j.whole<int32_t>("launches_per_sample");
  r.bytes_touched = j.real("bytes_touched");
  r.launch_note = read_text(j, "launch_note");
  if (j.has("rank_ms")) r.rank_ms = j.lists_of_reals("rank_ms");
}

CaseRecord read_case(const JsonView& j, const OpRegistry& ops) {
  CaseRecord r;
  r.case_text = j.text("case");
  r.case_id = read_id(j, "case_id");
  const Case c = ops.parse_case(r.case_text);
  if (case_id(c) != r.case_id)
    throw Error(fmt::format("case '{}' no longer has the id {}: the op's revision was raised", r.case_text,
                            hex16(r.case_id)));
  r.backend = j.text("backend");
  r.kernel = j.text("kernel");
  r.cache = read_name<CacheState>(j, "cache");
  r.outcome = read_name<Outcome>(j, "outcome");
  if (j.has("place")) r.place = PlanPlace{j.whole<uint32_t>("place"), read_truth(j, "audit", false)};
  r.final = read_truth(j, "final", true);
  r.reason = read_text(j, "reason");
  r.device_id = j.text("device_id");
  r.attempts = j.whole<int32_t>("attempts");
  r.date = j.text("date");
  r.duration_s = j.real("duration_s");
  r.repro = j.text("repro");
  r.log = read_text(j, "log");
  if (r.outcome == Outcome::measured) read_measurement(j, c, r);
  return r;
}

RerunRecord read_rerun(const JsonView& j) {
  RerunRecord r;
  r.case_text = j.text("case");
  r.case_id = read_id(j, "case_id");
  r.first_ms = j.real("first_ms");
  r.again_ms = j.real("again_ms");
  r.samples_ms = j.reals("samples_ms");
  return r;
}

AuditRecord read_audit(const JsonView& j) {
  AuditRecord r;
  r.family = j.text("family");
  r.places = j.whole<uint64_t>("places");
  r.audits = j.whole<uint64_t>("audits");
  r.p90 = j.real("p90");
  r.p90_low = j.real("p90_low");
  r.p90_high = j.real("p90_high");
  r.noise_floor = j.real("noise_floor");
  r.verdict = j.text("verdict");
  r.target = read_optional(j, "target");
  return r;
}

EndRecord read_end(const JsonView& j) {
  EndRecord r;
  r.date = j.text("date");
  r.why = j.text("why");
  const JsonView outcomes = j.object("outcomes");
  for (const std::string_view name : outcomes.names())
    r.outcomes.emplace(name, outcomes.whole<uint64_t>(name));
  r.not_attempted = j.whole<uint64_t>("not_attempted");
  if (!j.has("drift")) return r;
  const JsonView d = j.object("drift");
  r.drift = DriftFigures{.cases = d.whole<uint64_t>("cases"),
                         .deviation_p50 = d.real("p50"),
                         .deviation_p95 = d.real("p95"),
                         .share_over_10_percent = d.real("share_over_10_percent")};
  return r;
}

JournalRecord read_record(const JsonView& j, const OpRegistry& ops) {
  const std::string_view type = j.text("type");
  if (type == "case") return read_case(j, ops);
  if (type == "run") return read_run(j);
  if (type == "rerun") return read_rerun(j);
  if (type == "stopped_op") return BreakerRecord{std::string(j.text("op")), std::string(j.text("reason"))};
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

JournalRecord parse_record(std::string_view line, const OpRegistry& ops, FlatJson& memory) {
  const std::string_view text = verified(line);
  try {
    const JsonView j = memory.parse(text);
    if (j.has("format"))
      if (const auto revision = j.whole<int32_t>("format"); revision > kJournalRevision)
        throw NewerJournal(revision);
    return read_record(j, ops);
  } catch (const FlatJsonError& e) {
    throw Error(fmt::format("not a record: {}", e.what()));
  }
}

JournalRecord parse_record(std::string_view line, const OpRegistry& ops) {
  FlatJson memory;
  return parse_record(line, ops, memory);
}

}  // namespace perfatlas
