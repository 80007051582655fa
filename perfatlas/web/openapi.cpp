// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "perfatlas/serving/settings.h"
#include "perfatlas/web/estimate_keys.h"
#include "perfatlas/web/service.h"

namespace perfatlas {
namespace {

using Json = nlohmann::ordered_json;

Json operation(const char* summary, Json schema) {
  const Json content = {{"application/json", {{"schema", std::move(schema)}}}};
  const auto reply = [](const char* what) { return Json{{"description", what}}; };
  return {{"post",
           {{"summary", summary},
            {"requestBody", {{"required", true}, {"content", content}}},
            {"responses",
             {{"200", reply("The answer, as JSON")},
              {"400", reply("{\"error\": what was wrong and what to change}")},
              {"404", reply("The service was started without the data for this")},
              {"413", reply("The body is too large")},
              {"503", reply("Too many requests at once")}}}}}};
}

Json object(Json properties, Json required = Json::array()) {
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

Json step_schema() {
  const Json request = {{"type", "array"},
                        {"items", {{"type", "integer"}}},
                        {"minItems", 2},
                        {"maxItems", 2},
                        {"description", "[new tokens, cached tokens]"}};
  const Json batch = {{"type", "array"}, {"items", request}};
  return object({{"prices", {{"type", "string"}, {"description", "Name of price tables"}}},
                 {"batch", batch},
                 {"batches", {{"type", "array"}, {"items", batch}}}});
}

Json simulate_schema() {
  Json properties = {{"prices", {{"type", "string"}, {"description", "Name of price tables"}}},
                     {"decode_prices", {{"type", "string"}, {"description", "Of the decode workers"}}}};
  for (const Setting& setting : serving_settings())
    properties[std::string(setting.name)] = {{"description", std::string(setting.help)}};
  return object(std::move(properties));
}

Json estimate_schema() {
  Json properties;
  for (const EstimateKey& key : estimate_keys())
    properties[std::string(key.name)] = {{"type", key.whole ? "integer" : "string"}};
  return object(std::move(properties), {"model", "system"});
}

Json query_schema() {
  return object({{"op", {{"type", "string"}}},
                 {"fields", {{"type", "object"}, {"description", "Fields of the op, by column or flag"}}},
                 {"system", {{"type", "string"}}},
                 {"backend", {{"type", "string"}}},
                 {"version", {{"type", "string"}}},
                 {"allow_sol", {{"type", "boolean"}}}},
                {"op"});
}

}  // namespace

std::string openapi_document() {
  const auto get = [](const char* summary) {
    return Json{{"get", {{"summary", summary}, {"responses", {{"200", {{"description", "ok"}}}}}}}};
  };
  const Json document = {
      {"openapi", "3.0.3"},
      {"info", {{"title", "perfatlas"}, {"version", "1"}, {"description", "How long LLM inference takes"}}},
      {"paths",
       {{"/v1/step", operation("Duration of one engine step, or of many", step_schema())},
        {"/v1/simulate",
         operation("TTFT, TPOT and queues of a serving system under load", simulate_schema())},
        {"/v1/estimate", operation("One serving configuration from published tables", estimate_schema())},
        {"/v1/query", operation("Time of one op from placed tables", query_schema())},
        {"/openapi.json", get("This document")},
        {"/metrics", get("Prometheus metrics")},
        {"/health", get("Whether the service runs")}}}};
  return document.dump();
}

}  // namespace perfatlas
