// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/serving/rank.h"

#include <cstddef>

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
  auto at = ends_.end();
  while (at != ends_.begin() + std::ptrdiff_t(first_) && (at - 1)->step > end_step) --at;
  ends_.insert(at, {end_step, place});
  kv_tokens_ += request.input_tokens + 1;
}

ServingRequest DecodingSet::take_ended() {
  const uint32_t place = ends_[first_++].place;
  if (2 * first_ > ends_.size()) {
    ends_.erase(ends_.begin(), ends_.begin() + std::ptrdiff_t(first_));
    first_ = 0;
  }
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
