// SPDX-License-Identifier: Apache-2.0
// llama.cpp's server: a fixed number of slots. A batch holds one token of every generating slot, then prompt tokens in
// slot order up to the batch size; it runs as micro-batches one after the other, and all its tokens leave at its end.
// With one KV cache per slot a micro-batch takes neighbouring slots with equal token counts; a unified cache is cut
// anywhere, but every token attends to the whole pool. KV lengths are padded to 256. One attention-DP rank. Requests that
// arrive together at an idle server are taken together; a real one, woken by the first, sometimes starts without the rest.
#include <algorithm>
#include <cmath>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/scheduler.h"

namespace perfatlas {
namespace {

constexpr int64_t kKvPadding = 256;

int64_t padded(double kv_tokens) {
  return (int64_t(std::ceil(kv_tokens)) + kKvPadding - 1) / kKvPadding * kKvPadding;
}

struct Slot {
  int64_t request = -1;  // id; -1: free
  int64_t kv_tokens = 0;
  bool decoding = false;
  int64_t freed_at = 0;  // counter, so that the least recently used slot is taken first
};

/// What one slot has in a batch.
struct SlotTokens {
  size_t slot;
  int64_t tokens;
  int64_t cached;
};

class LlamaCppScheduler final : public Scheduler {
 public:
  explicit LlamaCppScheduler(EngineSetup setup)
      : Scheduler(std::move(setup)), slots_(size_t(launch().max_running)) {}

  void plan(EngineRank& rank, RankStep& step) override {
    while (admits(rank)) {
      ServingRequest request = admit(rank);
      request.slot = int32_t(take_slot(request.id));
      rank.partial.push_back(request);
    }
    std::vector<ServingRequest> partial;
    partial.swap(rank.partial);
    std::sort(partial.begin(), partial.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
    int64_t budget = launch().token_budget - rank.decoding.size();
    prompts_.clear();
    for (const ServingRequest& request : partial) {
      const int64_t tokens = std::min(request.input_tokens - request.prefilled, budget);
      if (tokens <= 0) {
        rank.partial.push_back(request);
        continue;
      }
      budget -= tokens;
      prompts_.push_back({size_t(request.slot), tokens, request.prefilled});
      step.add(request, tokens, rank.partial);
    }
    completed_.clear();
    for (const ServingRequest& request : step.completed) completed_.push_back(request);
  }

  double step_ms(const EngineRank&, const RankStep&) const override {
    std::vector<SlotTokens> batch = prompts_;
    for (size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].decoding) batch.push_back({i, 1, slots_[i].kv_tokens - 1});
    std::sort(batch.begin(), batch.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
    return launch().unified_kv ? unified_ms(batch) : split_ms(std::move(batch));
  }

  double decode_ms(const EngineRank& rank, double ahead) const override {
    if (launch().unified_kv)
      return rank.decoding.size() == 0
                 ? 0
                 : decode_pass_ms(rank.decoding.size(),
                                  double(pool_tokens()) + ahead * double(rank.decoding.size()));
    double total_ms = 0;
    for (size_t i = 0; i < slots_.size();) {
      int64_t sequences = 0, longest = 0;
      for (; i < slots_.size() && slots_[i].decoding && sequences < launch().micro_batch; ++i, ++sequences)
        longest = std::max(longest, slots_[i].kv_tokens);
      if (sequences > 0)
        total_ms += decode_pass_ms(sequences, double(longest) + ahead);
      else
        ++i;
    }
    return total_ms;
  }

  /// Up to the next step that needs a longer padded KV length.
  int64_t decode_run(int64_t steps_to_arrival) const override {
    int64_t steps = steps_to_arrival, decoding = 0;
    for (const Slot& slot : slots_) {
      if (!slot.decoding) continue;
      ++decoding;
      if (!launch().unified_kv) steps = std::min(steps, padded(double(slot.kv_tokens)) - slot.kv_tokens + 1);
    }
    if (launch().unified_kv && decoding > 0)
      steps = std::min(steps, (padded(double(pool_tokens())) - pool_tokens()) / decoding + 1);
    return steps;
  }

  void after_decodes(int64_t steps) override {
    for (Slot& slot : slots_)
      if (slot.decoding) slot.kv_tokens += steps;
  }

  void after_prompts() override {
    after_decodes(1);
    for (const SlotTokens& part : prompts_) slots_[part.slot].kv_tokens = part.cached + part.tokens;
    for (const ServingRequest& request : completed_) {
      Slot& slot = slots_[size_t(request.slot)];
      if (slot.request != request.id) continue;  // it had one output token and is gone
      slot.decoding = true;
      ++slot.kv_tokens;
    }
  }

  void finished(const ServingRequest& request) override {
    slots_[size_t(request.slot)] = {.freed_at = ++frees_};
  }

 private:
  size_t take_slot(int64_t request) {
    size_t best = slots_.size();
    for (size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].request < 0 && (best == slots_.size() || slots_[i].freed_at < slots_[best].freed_at))
        best = i;
    PERFATLAS_ASSERT(best < slots_.size());
    slots_[best] = {.request = request};
    return best;
  }

  int64_t pool_tokens() const {
    int64_t total = 0;
    for (const Slot& slot : slots_) total += slot.kv_tokens;
    return total;
  }

  double decode_pass_ms(int64_t sequences, double kv_tokens) const {
    return prices().decode.at(double(sequences), double(padded(kv_tokens)));
  }

  /// Neighbouring slots give the same number of tokens to a micro-batch.
  double split_ms(std::vector<SlotTokens> batch) const {
    double total_ms = 0;
    for (size_t first = 0; first < batch.size();) {
      if (batch[first].tokens == 0) {
        ++first;
        continue;
      }
      size_t last = first + 1;
      int64_t each = batch[first].tokens;
      while (last < batch.size() && batch[last].tokens > 0 && batch[last].slot == batch[last - 1].slot + 1 &&
             int64_t(last - first) < launch().micro_batch)
        each = std::min(each, batch[last++].tokens);
      const auto sequences = int64_t(last - first);
      each = std::min(each, std::max<int64_t>(1, launch().micro_batch / sequences));
      int64_t longest = 0;
      for (size_t i = first; i < last; ++i) {
        batch[i].tokens -= each;
        batch[i].cached += each;
        longest = std::max(longest, batch[i].cached);
      }
      total_ms += pass_ms(sequences, each, padded(double(longest)));
    }
    return total_ms;
  }

  double pass_ms(int64_t sequences, int64_t each, int64_t kv_tokens) const {
    if (each == 1) return prices().decode.at(double(sequences), double(kv_tokens));
    return prices().context.at(double(sequences * each)) +
           double(sequences) * chunk_attention_ms(prices(), {each, kv_tokens - each});
  }

  double unified_ms(const std::vector<SlotTokens>& batch) const {
    int64_t left = 0, pool = pool_tokens();
    for (const SlotTokens& part : batch) left += part.tokens;
    for (const SlotTokens& part : prompts_) pool += part.tokens;
    double total_ms = 0;
    for (; left > 0; left -= launch().micro_batch) {
      const int64_t tokens = std::min(left, launch().micro_batch);
      total_ms += prices().context.at(double(tokens)) +
                  chunk_attention_ms(prices(), {tokens, std::max<int64_t>(0, padded(double(pool)) - tokens)});
    }
    return total_ms;
  }

  std::vector<Slot> slots_;
  std::vector<SlotTokens> prompts_;  // of the step being planned
  std::vector<ServingRequest> completed_;
  int64_t frees_ = 0;
};

}  // namespace

std::unique_ptr<Scheduler> make_llama_cpp_scheduler(EngineSetup setup) {
  return std::make_unique<LlamaCppScheduler>(std::move(setup));
}

}  // namespace perfatlas
