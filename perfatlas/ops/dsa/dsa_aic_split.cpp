// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsa/dsa_aic_split.h"

#include <fmt/format.h>

#include "perfatlas/aic/kernel_times.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/dsa/dsa_aic_sol.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kScores = "dsa_mqa_logits", kSelection = "dsa_topk";
enum Column : size_t { heads, batch, isl, step, score_mode };

/// Of one head count.
struct IndexerTimes {
  KernelTimes scores, trailing_selection, random_selection;
  bool complete() const {
    return !scores.empty() && !trailing_selection.empty() && !random_selection.empty();
  }
};

struct IndexerTables {
  std::shared_ptr<const TableRows> scores, selections;
  Memo<int64_t, IndexerTimes> times;  // by heads

  IndexerTables(const Database& database, SharedLayer shared)
      : scores(database.rows(kScores, shared)), selections(database.rows(kSelection, shared)) {}

  std::shared_ptr<const IndexerTimes> find(int64_t wanted) const {
    return times.get(wanted, [&] {
      auto found = std::make_shared<IndexerTimes>();
      const TableFields of_scores(*scores, {"num_heads", "batch_size", "isl", "step"});
      for (uint32_t row = 0; row < scores->size(); ++row)
        if (of_scores(row, heads) == wanted) add(found->scores, of_scores, row, *scores);
      const TableFields of_selections(*selections, {"num_heads", "batch_size", "isl", "step", "score_mode"});
      const int64_t random = of_selections.value_of(score_mode, "flat").value_or(-1);
      for (uint32_t row = 0; row < selections->size(); ++row)
        if (of_selections(row, heads) == wanted)
          add(of_selections(row, score_mode) == random ? found->random_selection : found->trailing_selection,
              of_selections, row, *selections);
      return found;
    });
  }

 private:
  static void add(KernelTimes& times, const TableFields& fields, uint32_t row, const TableRows& rows) {
    times.add(fields(row, batch), fields(row, isl), fields(row, step), rows.latency_ms(row));
  }
};

IndexerMs indexer_ms(const IndexerTimes& times, const PhasePoint& whole, const PhasePoint& part) {
  const int64_t b = whole.batch, p = whole.prefix;
  return {times.scores.ms(b, whole.s, p), times.scores.ms(b, part.s, p),
          times.trailing_selection.ms(b, whole.s, p), times.random_selection.ms(b, part.s, p)};
}

}  // namespace

SplitBlock split_block(const DsaModule& op, bool with_indexer, const Binding& binding) {
  const DsaSizes sizes = dsa_sizes(op.architecture);
  SplitBlock block{.cp_size = op.cp_size};
  const auto gather = [&](double width) {
    block.gathered.emplace_back([width](const PhasePoint& at) { return double(at.batch * at.s) * width; });
  };
  if (with_indexer) {
    std::shared_ptr<const IndexerTimes> times = std::make_shared<IndexerTimes>();
    // The kernels of DeepSeek-V3.2's indexer were not measured apart.
    if (op.architecture != "DeepseekV32ForCausalLM")
      times = binding.family<IndexerTables>().find(op.num_heads);
    block.excess = [times, cp = op.cp_size](const PhasePoint& whole, const PhasePoint& part) {
      return indexer_excess_ms(indexer_ms(*times, whole, part), cp);
    };
    const std::string where = binding.database.table_name(kScores);
    if (!times->complete())
      block.why_impossible =
          fmt::format("{} and {}: no times of the indexer's kernels of {} with {} heads, which --cp needs",
                      where, kSelection, op.architecture, op.num_heads);
    block.why_missing = [times, where](const PhasePoint& at) {
      return fmt::format("{}: at most {} new tokens were measured at batch {}, asked are {}", where,
                         times->scores.longest(at.batch), at.batch, at.s);
    };
    gather(sizes.index_dim);
  }
  gather(sizes.kv_lora + sizes.rope);
  return block;
}

}  // namespace perfatlas::aic
