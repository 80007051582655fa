// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/service.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"
#include "perfatlas/base/text.h"
#include "perfatlas/db/answer_text.h"
#include "perfatlas/estimate/estimate_text.h"
#include "perfatlas/serving/result_text.h"
#include "perfatlas/serving/settings.h"
#include "perfatlas/web/estimate_keys.h"
#include "perfatlas/web/step_batch.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

Json parse_object(const std::string& body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) throw UsageError("the body must be a JSON object");
  return json;
}

/// A JSON value as the text that a flag would have.
std::string as_text(const std::string& name, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  throw UsageError(fmt::format("{} must be a text, a number or true / false", name));
}

}  // namespace

Reply Service::error(int status, std::string_view what) {
  return {status, Json{{"error", std::string(what)}}.dump(-1, ' ', false, Json::error_handler_t::replace),
          "application/json"};
}

std::shared_ptr<const PriceTables> Service::prices(std::string_view name) const {
  if (name.empty() && data_.prices.size() == 1) return data_.prices.begin()->second;
  if (const auto found = data_.prices.find(name); found != data_.prices.end()) return found->second;
  std::vector<std::string_view> known;
  for (const auto& [known_name, tables] : data_.prices) known.push_back(known_name);
  throw UsageError(known.empty()
                       ? "this service has no price tables; start it with --prices"
                       : fmt::format("prices '{}' are not known; known are {}", name, join_words(known)));
}

Reply Service::step(const std::string& body) {
  const StepBody step = parse_step_body(body);
  const auto tables = prices(step.prices);
  std::string out = step.many ? "{\"ms\":[" : "{\"ms\":";
  for (size_t i = 0; i < step.batches.size(); ++i) {
    if (i > 0) out += ',';
    out += format_real(step_ms(*tables, step.batches[i]));
  }
  metrics_.predicted_steps(int64_t(step.batches.size()));
  out += step.many ? "]}" : "}";
  return {200, std::move(out)};
}

Reply Service::simulate_case(const std::string& body) {
  const Json json = parse_object(body);
  if (json.contains("users") == json.contains("rate"))
    throw UsageError("say how requests come, in one of two ways: users or rate");
  if (!json.contains("isl") || !json.contains("osl"))
    throw UsageError("say how long requests are: isl and osl, in tokens");
  ServingQuestion question;
  question.workload.input.ratio = question.workload.output.ratio = 0.8;
  const auto named = [&](const char* key) {
    return json.contains(key) ? as_text(key, json.at(key)) : std::string();
  };
  question.prices = prices(named("prices"));
  if (json.contains("decode_prices")) question.decode_prices = prices(named("decode_prices"));
  for (const Setting& setting : serving_settings())
    if (const auto found = json.find(std::string(setting.name)); found != json.end())
      apply_setting(question, setting.name, as_text(std::string(setting.name), *found));
  for (const auto& [key, value] : json.items())
    if (key != "prices" && key != "decode_prices") {
      ServingQuestion scratch;
      apply_setting(scratch, key, as_text(key, value));  // refuses unknown keys
    }
  check_context(question);
  return {200, prediction_json(predict(question, {.most_wall_s = data_.time_limit_s}))};
}

Reply Service::estimate_case(const std::string& body) {
  if (data_.session == nullptr)
    return error(404, "this service has no published tables; start it with --systems-path");
  estimate::EstimateRequest request;
  request.worker.batch = 128;
  const Json json = parse_object(body);
  for (const auto& [key, value] : json.items()) set_estimate_key(request, key, as_text(key, value));
  return {200, estimate::estimate_json(estimate::run_estimate(*data_.session, request)).dump()};
}

/// {"op": "gemm", "fields": {"m": 8, ...}, "system": ..., "backend": ..., "version": ..., "allow_sol": true}
Reply Service::query(const std::string& body) {
  if (data_.database == nullptr) return error(404, "this service has no placed tables; start it with --data");
  const Json json = parse_object(body);
  if (!json.contains("op") || !json.at("op").is_string()) throw UsageError("op must name an op");
  const OpType* op = data_.ops->find(json.at("op").get<std::string>());
  if (op == nullptr)
    throw UsageError(
        fmt::format("op '{}' is not known; perfatlas ops lists them", json.at("op").get<std::string>()));
  Case asked{op, op->defaults()};
  QueryOptions options;
  for (const auto& [key, value] : json.items()) {
    if (key == "op") continue;
    if (key == "fields" && value.is_object())
      for (const auto& [field, content] : value.items()) set_field(asked, field, as_text(field, content));
    else if (key == "system")
      options.system = as_text(key, value);
    else if (key == "backend")
      options.backend = as_text(key, value);
    else if (key == "version")
      options.version = as_text(key, value);
    else if (key == "allow_sol" && value.is_boolean())
      options.allow_sol = value.get<bool>();
    else
      throw UsageError(fmt::format(
          "key '{}' is not known; known are op, fields, system, backend, version, allow_sol", key));
  }
  const std::lock_guard lock(database_mutex_);
  return {200, answer_json(asked, data_.database->query(asked, options))};
}

Reply Service::route(std::string_view method, std::string_view path, const std::string& body) {
  if (method == "GET") {
    if (path == "/openapi.json") return {200, openapi_document()};
    if (path == "/metrics") return {200, metrics_.text(), "text/plain; version=0.0.4"};
    if (path == "/health") return {200, "{\"status\":\"ok\"}"};
  }
  using Handler = Reply (Service::*)(const std::string&);
  constexpr std::pair<std::string_view, Handler> kHandlers[] = {{"/v1/step", &Service::step},
                                                                {"/v1/simulate", &Service::simulate_case},
                                                                {"/v1/estimate", &Service::estimate_case},
                                                                {"/v1/query", &Service::query}};
  for (const auto& [known, handler] : kHandlers)
    if (path == known)
      return method == "POST" ? (this->*handler)(body) : error(405, fmt::format("{} takes POST", path));
  return error(404, fmt::format("there is no {} {}; GET /openapi.json describes the service", method, path));
}

Reply Service::answer(std::string_view method, std::string_view path, const std::string& body) {
  try {
    return route(method, path, body);
  } catch (const UsageError& e) {
    return error(400, e.what());
  } catch (const std::exception& e) {
    return error(500, e.what());
  }
}

}  // namespace perfatlas
