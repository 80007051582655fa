// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4_aic_split.h"

#include <fmt/format.h>

#include <algorithm>

#include "perfatlas/aic/kernel_times.h"
#include "perfatlas/aic/table_fields.h"
#include "perfatlas/ops/dsv4/dsv4_case.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kScores = "dsv4_paged_mqa_logits_module", kSelection = "dsv4_csa_topk_calib";
constexpr int64_t kChunk = 8192;  // new tokens that frameworks score at a time; pairs of chunks add up
enum Column : size_t { heads, batch, isl, step, score_mode };

/// Of one model's head count.
struct IndexerTimes {
  std::shared_ptr<const Surface> scores;  // over (cached tokens, new tokens, batch); null: not measured
  KernelTimes selection;                  // among scores of which the largest lie at the end

  /// Nothing where it was not measured.
  std::optional<double> scores_ms(int64_t b, int64_t s, int64_t prefix) const {
    if (!scores) return std::nullopt;
    double sum_ms = 0;
    for (int64_t from = 0; from < s; from += kChunk) {
      const Price chunk = scores->price({prefix + from, std::min(kChunk, s - from), b});
      if (!chunk.ok()) return std::nullopt;
      sum_ms += chunk.latency_ms;
    }
    return sum_ms;
  }
};

/// The indexer is not split over tensor-parallel ranks, so that tp does not tell rows apart.
struct IndexerTables {
  std::shared_ptr<const TableRows> scores, selections;
  Memo<int64_t, IndexerTimes> times;  // by heads

  IndexerTables(const Database& database, SharedLayer shared)
      : scores(database.rows(kScores, shared)), selections(database.rows(kSelection, shared)) {}

  std::shared_ptr<const IndexerTimes> find(int64_t wanted) const {
    return times.get(wanted, [&] {
      auto found = std::make_shared<IndexerTimes>();
      found->scores = surface(wanted);
      const TableFields fields(*selections, {"num_heads", "batch_size", "isl", "step", "score_mode"});
      const int64_t trailing = fields.value_of(score_mode, "v1_top_last").value_or(-1);
      for (uint32_t row = 0; row < selections->size(); ++row) {
        // aiconfigurator takes these from no other back end.
        const bool own =
            selections->sources()[selections->source(row)].source.channel != SourceChannel::sibling;
        if (own && fields(row, heads) == wanted && fields(row, score_mode) == trailing)
          found->selection.add(fields(row, batch), fields(row, isl), fields(row, step),
                               selections->latency_ms(row));
      }
      return found;
    });
  }

 private:
  std::shared_ptr<const Surface> surface(int64_t wanted) const {
    const TableFields fields(*scores, {"num_heads", "batch_size", "isl", "step"});
    PointList points(*scores);
    for (uint32_t row = 0; row < scores->size(); ++row)
      if (fields(row, heads) == wanted)
        points.add({fields(row, step), fields(row, isl), fields(row, batch)}, row);
    if (points.empty()) return nullptr;
    const auto pairs = [](const Coordinates& at) {
      const double p = double(at[0]), s = double(at[1]);
      return double(at[2]) * (p * s + s * s / 2);
    };
    return std::make_shared<const Surface>(AxisLayout{.axes = 3}, std::move(points), pairs);
  }
};

IndexerMs indexer_ms(const IndexerTimes& times, const PhasePoint& whole, const PhasePoint& part) {
  const int64_t b = whole.batch, p = whole.prefix;
  return {times.scores_ms(b, whole.s, p), times.scores_ms(b, part.s, p), times.selection.ms(b, whole.s, p),
          times.selection.ms(b, part.s, p)};
}

void add_indexer(SplitBlock& block, const Dsv4Attention& op, const Binding& binding) {
  const auto times = binding.family<IndexerTables>().find(op.native_heads);
  block.excess = [times, cp = op.cp_size](const PhasePoint& whole, const PhasePoint& part) {
    return indexer_excess_ms(indexer_ms(*times, whole, part), cp);
  };
  block.why_missing = [times, heads = op.native_heads,
                       where = binding.database.table_name(kScores)](const PhasePoint& at) {
    if (!times->scores || times->selection.empty())
      return fmt::format(
          "{} and {}: no times of the indexer's kernels of a model with {} heads, which --cp needs", where,
          kSelection, heads);
    if (times->selection.longest(at.batch) < at.s)
      return fmt::format("{}: at most {} new tokens were measured at batch {}, asked are {}", kSelection,
                         times->selection.longest(at.batch), at.batch, at.s);
    return fmt::format("{}: nothing was measured near {} new tokens at batch {}", where, at.s, at.batch);
  };
}

}  // namespace

SplitBlock split_block(const Dsv4Attention& op, const Binding& binding) {
  SplitBlock block{.cp_size = op.cp_size};
  if (op.compress_ratio == kCsaRatio) {
    add_indexer(block, op, binding);
    block.gathered.emplace_back(
        [width = op.index_head_dim](const PhasePoint& at) { return double(at.batch * at.s * width); });
  } else {
    block.gathered.emplace_back([window = op.window_size, width = op.head_dim](const PhasePoint& at) {
      const int64_t seen = window > 0 ? std::min(at.s, window) : at.s;
      return double(at.batch * seen * width);
    });
  }
  block.gathered.emplace_back([ratio = op.compress_ratio, width = op.head_dim](const PhasePoint& at) {
    return double(at.batch * (at.s / ratio) * width);
  });
  return block;
}

}  // namespace perfatlas::aic
