// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/question_lines.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

#include "perfatlas/aic/json_fields.h"
#include "perfatlas/aic/op_json.h"
#include "perfatlas/base/error.h"
#include "perfatlas/tables/systems_root.h"

namespace perfatlas::aic {
namespace {

constexpr size_t kMostBound = 100'000;  // bound ops kept; a few hundred bytes each

constexpr std::string_view kPointFields[] = {"is_context", "batch_size", "s", "prefix", "x", "imbalance"};
constexpr std::string_view kOtherFields[] = {"id",   "op",        "system",       "backend", "version",
                                             "mode", "transfers", "shared_layer", "ctor",    "engine",
                                             "note", "place",     "results"};

bool is_frame(std::string_view name) {
  for (const std::string_view field : kPointFields)
    if (field == name) return true;
  for (const std::string_view field : kOtherFields)
    if (field == name) return true;
  return false;
}

/// What is left of a question that has its op's fields beside op.
nlohmann::json fields_beside(const nlohmann::json& question) {
  nlohmann::json fields = nlohmann::json::object();
  for (const auto& [name, value] : question.items())
    if (!is_frame(name)) fields[name] = value;
  return fields;
}

nlohmann::json point_of(const nlohmann::json& question) {
  nlohmann::json point = nlohmann::json::object();
  for (const std::string_view name : kPointFields)
    if (const auto at = question.find(name); at != question.end()) point[std::string(name)] = *at;
  return point;
}

void write_error(std::string& out, std::string_view kind, std::string_view message) {
  out += "\"error\":{\"kind\":\"";
  out += kind;
  out += "\",\"message\":";
  out += nlohmann::json(message).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  out += '}';
}

}  // namespace

struct QuestionLines::Asked {
  std::string system, backend, version, op;
  ViewOptions options;
  nlohmann::json fields;
  PhasePoint at;
};

QuestionLines::QuestionLines(const SystemsRoot& root, QuestionDefaults defaults)
    : root_(root), defaults_(std::move(defaults)) {}

const Engine& QuestionLines::engine(const std::string& system, const std::string& backend,
                                    const std::string& version) {
  const std::string key = fmt::format("{}/{}/{}", system, backend, version);
  const auto at = engines_.find(key);
  if (at != engines_.end()) return at->second;
  return engines_.emplace(key, Engine::open(root_, system, backend, version)).first->second;
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
  if (bound_.size() >= kMostBound) bound_.clear();
  const Op op = op_from_json(asked.op, asked.fields);
  BoundOp bound = engine(asked.system, asked.backend, asked.version).view(options).bind(op);
  return bound_.emplace(std::move(key), std::move(bound)).first->second;
}

void QuestionLines::answer(std::string_view line, std::string& out) {
  out += '{';
  try {
    const nlohmann::json question = nlohmann::json::parse(line);
    if (!question.is_object()) throw UsageError("a question is a JSON object");
    if (const auto id = question.find("id"); id != question.end())
      out += fmt::format("\"id\":{},", id->dump());
    const auto text = [&](std::string_view name, const std::string& otherwise) {
      const auto at = question.find(name);
      if (at == question.end() || at->is_null()) return otherwise;
      if (!at->is_string()) throw UsageError(fmt::format("{} must be a text", name));
      return at->get<std::string>();
    };
    Asked asked{text("system", defaults_.system),
                text("backend", defaults_.backend),
                text("version", defaults_.version),
                text("op", {}),
                {},
                {},
                {}};
    asked.options = {.mode = defaults_.mode, .transfers = defaults_.transfers};
    if (const std::string name = text("mode", {}); !name.empty()) {
      const auto mode = mode_from_name(name);
      if (!mode)
        throw UsageError(fmt::format("mode '{}' is none of SILICON, HYBRID, EMPIRICAL, SOL, SOL_FULL", name));
      asked.options.mode = *mode;
    }
    if (const std::string policy = text("transfers", {}); !policy.empty())
      asked.options.transfers = TransferPolicy::from_text(policy);
    if (const auto shared = question.find("shared_layer"); shared != question.end() && shared->is_boolean())
      asked.options.shared_layer = shared->get<bool>();
    const auto ctor = question.find("ctor");
    asked.fields = ctor != question.end() ? *ctor : fields_beside(question);
    asked.at = phase_point_from_json(point_of(question));

    const BoundOp& op = bound(asked);
    const Price price = op.price(asked.at);
    if (!price.ok()) {
      write_error(out, name_of(price.failure), op.explain(asked.at));
    } else {
      fmt::format_to(std::back_inserter(out), "\"latency_ms\":{},\"energy_mj\":{},\"source\":\"{}\"",
                     price.latency_ms, price.energy_mj, name_of(price.source));
      if (price.provenance != Provenance::none)
        fmt::format_to(std::back_inserter(out), ",\"provenance\":\"{}\"", name_of(price.provenance));
      if (asked.options.mode == Mode::sol_full)
        fmt::format_to(std::back_inserter(out), ",\"math_ms\":{},\"memory_ms\":{}", price.math_ms,
                       price.memory_ms);
    }
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
