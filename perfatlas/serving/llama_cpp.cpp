// SPDX-License-Identifier: Apache-2.0
// llama.cpp's server: a fixed number of slots. A batch holds one token of every generating slot, then prompt tokens in
// slot order up to the batch size; it runs as micro-batches one after the other, and all its tokens leave at its end.
// With one KV cache per slot a micro-batch takes neighbouring slots with equal token counts; a unified cache is cut
// anywhere. Attention skips what is masked, so neither the padding of KV caches to 256 tokens nor the other sequences
// of a unified one cost anything worth a price. One attention-DP rank.
#include <algorithm>

#include "perfatlas/base/error.h"
#include "perfatlas/serving/scheduler.h"

namespace perfatlas {
namespace {

struct Slot {
  int64_t request = -1;  // id; -1: free
  int64_t kv_tokens = 0;
  bool decoding = false;
  int64_t freed_at = 0;  // counter: the least recently used slot is taken first, of unused ones the last
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

  double step_ms(const EngineRank& rank, const RankStep&) const override {
    if (launch().unified_kv) return unified_ms(rank);
    std::vector<SlotTokens> batch = prompts_;
    for (size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].decoding) batch.push_back({i, 1, slots_[i].kv_tokens - 1});
    std::sort(batch.begin(), batch.end(), [](const auto& a, const auto& b) { return a.slot < b.slot; });
    return split_ms(std::move(batch));
  }

  double decode_ms(const EngineRank& rank, double ahead) const override {
    if (launch().unified_kv) return Scheduler::decode_ms(rank, ahead);
    double total_ms = 0;
    for (size_t i = 0; i < slots_.size();) {
      int64_t sequences = 0, kv_tokens = 0;
      for (; i < slots_.size() && slots_[i].decoding && sequences < launch().micro_batch; ++i, ++sequences)
        kv_tokens += slots_[i].kv_tokens;
      if (sequences > 0)
        total_ms += prices().decode.at(double(sequences), double(kv_tokens) / double(sequences) + ahead);
      else
        ++i;
    }
    return total_ms;
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
      if (slots_[i].request < 0 && (best == slots_.size() || slots_[i].freed_at <= slots_[best].freed_at))
        best = i;
    PERFATLAS_ASSERT(best < slots_.size());
    slots_[best] = {.request = request};
    return best;
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
      int64_t cached = 0;
      for (size_t i = first; i < last; ++i) {
        cached += batch[i].cached;
        batch[i].tokens -= each;
        batch[i].cached += each;
      }
      total_ms += pass_ms(sequences, each, cached / sequences);
    }
    return total_ms;
  }

  /// `cached`: mean of the sequences.
  double pass_ms(int64_t sequences, int64_t each, int64_t cached) const {
    if (each == 1) return prices().decode.at(double(sequences), double(cached + 1));
    return prices().context.at(double(sequences * each)) +
           double(sequences) * chunk_attention_ms(prices(), {each, cached});
  }

  double unified_ms(const EngineRank& rank) const {
    const int64_t decodes = rank.decoding.size();
    int64_t left = decodes;
    double total_ms =
        decodes > 0 ? prices().decode_attention.at(double(decodes), rank.decoding.mean_kv()) : 0;
    for (const SlotTokens& part : prompts_) {
      left += part.tokens;
      total_ms += chunk_attention_ms(prices(), {part.tokens, part.cached});
    }
    for (; left > 0; left -= launch().micro_batch)
      total_ms += prices().context.at(double(std::min(left, launch().micro_batch)));
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
