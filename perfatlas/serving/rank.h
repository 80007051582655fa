// SPDX-License-Identifier: Apache-2.0
// What one attention-DP rank of an engine holds: prompts that wait, prompts computed in part, sequences that decode.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "perfatlas/serving/price_tables.h"
#include "perfatlas/serving/request.h"

namespace perfatlas {

/// Sequences that get one token per decode step until their last one; finished in order of their end.
class DecodingSet {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  int64_t size() const { return int64_t(ends_.size() - first_); }
  /// KV tokens of all sequences together, the token of the next step included.
  int64_t kv_tokens() const { return kv_tokens_; }
  double mean_kv() const { return size() == 0 ? 0 : double(kv_tokens_) / double(size()); }
  /// The decode step after which the first one ends; kNever when there is none.
  int64_t next_end() const { return size() == 0 ? kNever : ends_[first_].step; }

  /// A sequence whose prompt is complete and whose last token comes with decode step `end_step`.
  void add(const ServingRequest& request, int64_t end_step);
  /// Every sequence got `steps` tokens.
  void advance(int64_t steps) { kv_tokens_ += steps * size(); }
  /// Removes and returns one that ended at or before `step`. REQUIRES: next_end() <= step.
  ServingRequest take_ended();

 private:
  struct End {
    int64_t step;
    uint32_t place;  // in requests_
  };

  /// From first_ on: ascending, of equal ones the first added first. Not a heap: requests of one length end in the
  /// order in which they came, so that most are added at the end.
  std::vector<End> ends_;
  size_t first_ = 0;
  std::vector<ServingRequest> requests_;
  std::vector<uint32_t> free_;
  int64_t kv_tokens_ = 0;
};

struct EngineRank {
  std::deque<ServingRequest> waiting;   // first come, first served
  std::vector<ServingRequest> partial;  // admitted, prompt not complete
  DecodingSet decoding;
  int64_t waiting_tokens = 0;  // input tokens of `waiting`
  int64_t running = 0;         // admitted requests: partial, decoding, or in the step being planned
  double kv_reserved = 0;      // tokens promised to them
  int64_t kv_refusals = 0;     // times the first waiting prompt was kept out by the KV capacity alone

  int64_t requests() const { return int64_t(waiting.size()) + running; }
  void enqueue(const ServingRequest& request);
  /// REQUIRES: something waits.
  ServingRequest take_waiting();
};

/// The prompt work of one rank in one step.
struct RankStep {
  StepBatch shape;  // decodes and chunks are filled in when the step is priced
  std::vector<Chunk> chunks;
  std::vector<ServingRequest> completed;  // prompts that end with this step

  void clear();
  /// Adds `tokens` more of a prompt; moves it to `completed` or, when more remain, to `partial`.
  void add(ServingRequest request, int64_t tokens, std::vector<ServingRequest>& partial);
};

}  // namespace perfatlas
