// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/web/step_batch.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMostTokens = 1'000'000'000;

int64_t tokens(const Json& value, int64_t least) {
  if (!value.is_number_integer() || value.get<int64_t>() < least || value.get<int64_t>() > kMostTokens)
    throw UsageError("a request is [new tokens, cached tokens]: whole numbers, at least 1 and at least 0");
  return value.get<int64_t>();
}

std::vector<StepRequest> parse_batch(const Json& json) {
  if (!json.is_array() || json.empty())
    throw UsageError("a batch is a list of [new tokens, cached tokens], not empty");
  std::vector<StepRequest> batch;
  batch.reserve(json.size());
  for (const Json& request : json) {
    if (!request.is_array() || request.size() != 2)
      throw UsageError("a request is a pair: [new tokens, cached tokens]");
    batch.push_back({tokens(request[0], 1), tokens(request[1], 0)});
  }
  return batch;
}

}  // namespace

StepBody parse_step_body(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) throw UsageError("the body must be a JSON object");
  StepBody step;
  if (const auto name = json.find("prices"); name != json.end()) {
    if (!name->is_string()) throw UsageError("prices must be the name of price tables");
    step.prices = name->get<std::string>();
  }
  const auto one = json.find("batch"), many = json.find("batches");
  if ((one == json.end()) == (many == json.end())) throw UsageError("give either batch or batches");
  step.many = many != json.end();
  if (!step.many) {
    step.batches.push_back(parse_batch(*one));
    return step;
  }
  if (!many->is_array() || many->empty()) throw UsageError("batches is a list of batches, not empty");
  for (const Json& batch : *many) step.batches.push_back(parse_batch(batch));
  return step;
}

double step_ms(const PriceTables& prices, const std::vector<StepRequest>& batch) {
  StepBatch shape;
  std::vector<Chunk> chunks;
  double kv_tokens = 0;
  for (const StepRequest& request : batch) {
    if (request.new_tokens == 1 && request.cached > 0) {
      ++shape.decodes;
      kv_tokens += double(request.cached + 1);
      continue;
    }
    shape.new_tokens += request.new_tokens;
    if (request.cached == 0) {
      ++shape.whole_prompts;
      shape.whole_tokens += request.new_tokens;
    } else {
      chunks.push_back(request);
    }
  }
  shape.chunks = chunks;
  if (shape.decodes > 0) shape.mean_kv_tokens = kv_tokens / double(shape.decodes);
  return step_ms(prices, shape);
}

}  // namespace perfatlas
