// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/rank.h"

#include <algorithm>

namespace perfatlas {

void DecodingSet::add(const ServingRequest& request, int64_t end_step) {
  uint32_t place = uint32_t(requests_.size());
  if (free_.empty()) {
    requests_.push_back(request);
  } else {
    place = free_.back();
    free_.pop_back();
    requests_[place] = request;
  }
  heap_.push_back({end_step, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
  kv_tokens_ += request.input_tokens + 1;
}

ServingRequest DecodingSet::take_ended() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const uint32_t place = heap_.back().place;
  heap_.pop_back();
  free_.push_back(place);
  const ServingRequest& request = requests_[place];
  kv_tokens_ -= request.input_tokens + request.output_tokens;
  return request;
}

void EngineRank::enqueue(const ServingRequest& request) {
  waiting_tokens += request.input_tokens;
  waiting.push_back(request);
}

ServingRequest EngineRank::take_waiting() {
  const ServingRequest request = waiting.front();
  waiting.pop_front();
  waiting_tokens -= request.input_tokens;
  return request;
}

void RankStep::clear() {
  shape = {};
  chunks.clear();
  completed.clear();
}

void RankStep::add(ServingRequest request, int64_t tokens, std::vector<ServingRequest>& partial) {
  shape.new_tokens += tokens;
  if (tokens == request.input_tokens) {
    ++shape.whole_prompts;
    shape.whole_tokens += tokens;
  } else {
    chunks.push_back({tokens, request.prefilled});
  }
  request.prefilled += tokens;
  (request.prefilled == request.input_tokens ? completed : partial).push_back(request);
}

}  // namespace perfatlas
