// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/question_lines.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "perfatlas/aic/json_fields.h"
#include "perfatlas/aic/op_json.h"
#include "perfatlas/aic/open_engine.h"
#include "perfatlas/base/error.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::aic {
namespace {

constexpr size_t kMostBound = 100'000;  // bound ops kept; a few hundred bytes each

constexpr std::string_view kPointFields[] = {"is_context", "batch_size", "s", "prefix", "x", "imbalance"};
constexpr std::string_view kOtherFields[] = {"id",   "op",    "system",       "backend", "version",
                                             "mode", "rows",  "transfers",    "ctor",    "engine",
                                             "note", "place", "shared_layer", "results"};

bool is_point(std::string_view name) {
  return std::find(std::begin(kPointFields), std::end(kPointFields), name) != std::end(kPointFields);
}

bool is_frame(std::string_view name) {
  return is_point(name) ||
         std::find(std::begin(kOtherFields), std::end(kOtherFields), name) != std::end(kOtherFields);
}

/// What is left of a question that has its op's fields beside op.
nlohmann::json fields_beside(const nlohmann::json& question) {
  nlohmann::json fields = nlohmann::json::object();
  for (const auto& [name, value] : question.items())
    if (!is_frame(name)) fields[name] = value;
  return fields;
}

PhasePoint point_of(const nlohmann::json& question) {
  nlohmann::json point = nlohmann::json::object();
  for (const std::string_view name : kPointFields)
    if (const auto at = question.find(name); at != question.end()) point[std::string(name)] = *at;
  return phase_point_from_json(point);
}

std::string text_of(const nlohmann::json& question, std::string_view name, const std::string& otherwise) {
  const auto at = question.find(name);
  if (at == question.end() || at->is_null()) return otherwise;
  if (!at->is_string()) throw UsageError(fmt::format("{} must be a text", name));
  return at->get<std::string>();
}

template <class T>
bool whole_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// A number or a text without escapes: what can be repeated as it is written.
bool is_plain(std::string_view text) {
  int64_t number = 0;
  if (whole_number(text, number)) return true;
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  return std::all_of(text.begin() + 1, text.end() - 1,
                     [](char c) { return c != '\\' && c != '"' && uint8_t(c) >= 0x20 && uint8_t(c) < 0x7f; });
}

void write_error(std::string& out, std::string_view kind, std::string_view message) {
  out += "\"error\":{\"kind\":\"";
  out += kind;
  out += "\",\"message\":";
  out += nlohmann::json(message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  out += '}';
}

void write_rows(std::string& out, const Ground& ground) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const RowShare& share : ground.rows) {
    const TableRows& table = *share.table;
    const TableSource& file = table.sources()[table.source(share.row)].source;
    rows.push_back({{"fields", fields_text({&table.op(), table.values(share.row)})},
                    {"latency_ms", table.latency_ms(share.row)},
                    {"kernel_source", table.kernel(share.row).text()},
                    {"backend", file.backend},
                    {"version", file.version},
                    {"weight", share.weight}});
  }
  out += fmt::format(",\"kind\":\"{}\",\"rows\":{}",
                     ground.kind == EstimateKind::miss ? "unknown" : name_of(ground.kind), rows.dump());
}

void write_answer(std::string& out, const BoundOp& op, const PhasePoint& at, Mode mode) {
  const Price price = op.price(at);
  if (!price.ok()) return write_error(out, name_of(price.failure), op.explain(at));
  if (!(std::isfinite(price.latency_ms) && price.latency_ms >= 0 && price.math_ms >= 0 &&
        price.memory_ms >= 0))
    return write_error(out, "Usage", "these sizes take no time, or are together more than can be counted");
  fmt::format_to(std::back_inserter(out), "\"latency_ms\":{},\"energy_mj\":{},\"source\":\"{}\"",
                 price.latency_ms, price.energy_mj, name_of(price.source));
  if (price.provenance != Provenance::none)
    fmt::format_to(std::back_inserter(out), ",\"provenance\":\"{}\"", name_of(price.provenance));
  if (mode == Mode::sol_full)
    fmt::format_to(std::back_inserter(out), ",\"math_ms\":{},\"memory_ms\":{}", price.math_ms,
                   price.memory_ms);
}

}  // namespace

struct QuestionLines::Asked {
  std::string system, backend, version, op;
  ViewOptions options;
  nlohmann::json fields;
};

QuestionLines::QuestionLines(const SystemsRoot& root, QuestionDefaults defaults)
    : root_(root), defaults_(std::move(defaults)) {}

const Engine& QuestionLines::engine(const Asked& asked) {
  const EnginePlace place{asked.system, asked.backend, asked.version};
  const Mode mode = asked.options.mode;
  const std::string key = fmt::format("{}/{}/{} {}", place.system, place.backend, place.version,
                                      answers_without_tables(root_, place, mode));
  const auto at = engines_.find(key);
  if (at != engines_.end()) return at->second;
  return engines_.emplace(key, open_engine(root_, place, mode)).first->second;
}

const BoundOp& QuestionLines::bound(const Asked& asked) {
  const ViewOptions& options = asked.options;
  const TransferPolicy& t = options.transfers;
  std::string key = asked.fields.dump();
  fmt::format_to(std::back_inserter(key), "{} {} {} {} {}{}{}{}{}{}", asked.op, asked.system, asked.backend,
                 asked.version, int(options.mode), int(t.xshape), int(t.xquant), int(t.xprofile), int(t.xop),
                 options.shared_layer ? int(*options.shared_layer) : 2);
  const auto at = bound_.find(key);
  if (at != bound_.end()) return at->second;
  if (bound_.size() >= kMostBound) {
    bound_.clear();
    known_.clear();
  }
  const Op op = op_from_json(asked.op, asked.fields);
  BoundOp bound = engine(asked).view(options).bind(op);
  return bound_.emplace(std::move(key), std::move(bound)).first->second;
}

QuestionLines::Asked QuestionLines::asked_in(const nlohmann::json& question) const {
  Asked asked{text_of(question, "system", defaults_.system),
              text_of(question, "backend", defaults_.backend),
              text_of(question, "version", defaults_.version),
              text_of(question, "op", {}),
              {.mode = defaults_.mode, .transfers = defaults_.transfers},
              {}};
  if (const std::string name = text_of(question, "mode", {}); !name.empty()) {
    const auto mode = mode_from_name(name);
    if (!mode)
      throw UsageError(fmt::format("mode '{}' is none of SILICON, HYBRID, EMPIRICAL, SOL, SOL_FULL", name));
    asked.options.mode = *mode;
  }
  if (const std::string policy = text_of(question, "transfers", {}); !policy.empty())
    asked.options.transfers = TransferPolicy::from_text(policy);
  if (const auto shared = question.find("shared_layer"); shared != question.end() && shared->is_boolean())
    asked.options.shared_layer = shared->get<bool>();
  const auto ctor = question.find("ctor");
  asked.fields = ctor != question.end() ? *ctor : fields_beside(question);
  return asked;
}

bool QuestionLines::read_known(std::string_view line) {
  if (!json_members(line, members_)) return false;
  asked_text_.clear();
  id_ = {};
  for (const JsonMember& member : members_) {
    if (is_point(member.name)) continue;
    if (member.name == "id") {
      if (!is_plain(member.text)) return false;
      id_ = member.text;
      continue;
    }
    // Names have no quotes, so that the text falls apart in one way only.
    ((asked_text_ += '"') += member.name) += '"';
    asked_text_ += member.text;
  }
  return true;
}

bool QuestionLines::answer_known(std::string& out) const {
  const auto known = known_.find(asked_text_);
  if (known == known_.end()) return false;
  PhasePoint at;
  bool tokens = false;
  for (const JsonMember& member : members_) {
    if (!is_point(member.name)) continue;
    if (member.name == "is_context") {
      if (member.text != "true" && member.text != "false") return false;
      at.context = member.text == "true";
    } else if (member.name == "imbalance") {
      if (!whole_number(member.text, at.imbalance) || !can_be_asked(at.imbalance)) return false;
    } else {
      int64_t PhasePoint::*const field = member.name == "batch_size" ? &PhasePoint::batch
                                         : member.name == "s"        ? &PhasePoint::s
                                         : member.name == "prefix"   ? &PhasePoint::prefix
                                                                     : &PhasePoint::tokens;
      if (!whole_number(member.text, at.*field) || !can_be_asked(at.*field)) return false;
      tokens = tokens || member.name == "x";
    }
  }
  if (!tokens) at.tokens = at.context ? at.batch * at.s : at.batch;
  out += '{';
  if (!id_.empty()) (((out += "\"id\":") += id_) += ',');
  write_answer(out, *known->second.op, at, known->second.mode);
  out += "}\n";
  return true;
}

void QuestionLines::answer(std::string_view line, std::string& out) {
  const bool plain = read_known(line);
  if (plain && answer_known(out)) return;
  out += '{';
  try {
    const nlohmann::json question = nlohmann::json::parse(line);
    if (!question.is_object()) throw UsageError("a question is a JSON object");
    if (const auto id = question.find("id"); id != question.end())
      out += fmt::format("\"id\":{},", id->dump());
    const Asked asked = asked_in(question);
    const PhasePoint at = point_of(question);
    const BoundOp& op = bound(asked);
    write_answer(out, op, at, asked.options.mode);
    if (const auto rows = question.find("rows");
        rows != question.end() && rows->is_boolean() && rows->get<bool>())
      write_rows(out, op.ground(at));
    else if (plain)
      known_.try_emplace(asked_text_, Known{&op, asked.options.mode});
  } catch (const nlohmann::json::exception& error) {
    write_error(out, "Usage", fmt::format("not JSON: {}", error.what()));
  } catch (const UsageError& error) {
    write_error(out, "Usage", error.what());
  } catch (const Error& error) {
    write_error(out, "Data", error.what());
  }
  out += "}\n";
}

}  // namespace perfatlas::aic
