// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe/moe_cpu_rows.h"

#include <algorithm>
#include <cmath>

#include "perfatlas/ops/moe/moe_cpu_matmul.h"

namespace perfatlas {

ExpertRows::ExpertRows(const Moe& op, int64_t most_tokens, int threads) : op_(op) {
  const int64_t local = op.local_experts();
  const int64_t choices = most_tokens * std::min(op.topk, local);
  // ExpertMatmul::padded_rows adds fewer than 32 rows to an expert, and to few rows only some more of them.
  const int64_t least = std::max<int64_t>(ExpertMatmul::least_rows(traits_of(op.dtype).activation), 4);
  const int64_t padding = std::min(choices * least, 32 * local);
  chosen_.resize(size_t(most_tokens * op.topk));
  choices_.resize(chosen_.size());
  next_.resize(size_t(local));
  token_.resize(size_t(choices + padding));
  groups_.resize(size_t(std::min(choices, local) + choices / ExpertMatmul::kMostRows));
  logits_.resize(size_t(op.experts * threads));
}

void ExpertRows::choose(int64_t token, const float* logits) {
  int32_t* const chosen = chosen_.data() + token * op_.topk;
  Choice* const choices = choices_.data() + token * op_.topk;
  top_k(logits, op_.experts, op_.topk, chosen);
  float total = 0;
  for (int64_t j = 0; j < op_.topk; ++j)
    total += choices[j].weight = std::exp(logits[chosen[j]] - logits[chosen[0]]);
  for (int64_t j = 0; j < op_.topk; ++j) choices[j].weight /= total;
}

void ExpertRows::group(int64_t tokens) {
  const auto local = int32_t(op_.local_experts());
  const auto count = size_t(tokens * op_.topk);
  std::fill(next_.begin(), next_.end(), 0);
  for (size_t i = 0; i < count; ++i)
    if (chosen_[i] < local) ++next_[size_t(chosen_[i])];
  rows_ = 0, group_count_ = 0;
  for (int32_t expert = 0; expert < local; ++expert) {
    const int32_t wanted = next_[size_t(expert)];
    const int64_t padded = ExpertMatmul::padded_rows(wanted, traits_of(op_.dtype).activation);
    next_[size_t(expert)] = int32_t(rows_);
    for (int32_t done = 0; done < wanted; done += ExpertMatmul::kMostRows)
      groups_[group_count_++] = {expert, int32_t(rows_ + done),
                                 std::min(wanted - done, int32_t(ExpertMatmul::kMostRows))};
    std::fill_n(token_.begin() + rows_ + wanted, padded - wanted, -1);
    rows_ += padded;
  }
  for (size_t i = 0; i < count; ++i) {
    choices_[i].row = chosen_[i] < local ? next_[size_t(chosen_[i])]++ : -1;
    if (choices_[i].row >= 0) token_[size_t(choices_[i].row)] = int32_t(i / size_t(op_.topk));
  }
}

}  // namespace perfatlas
