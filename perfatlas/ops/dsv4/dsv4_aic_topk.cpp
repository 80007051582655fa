// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/dsv4/dsv4_aic_topk.h"

#include <algorithm>
#include <iterator>

#include "perfatlas/aic/head_ladder.h"
#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kTable = "dsv4_csa_topk_calib";
enum Column : size_t { heads, batch, isl, tp, step, score_mode };

}  // namespace

void NestedTimes::add(const std::vector<int64_t>& at, double latency_ms) {
  NestedTimes* node = this;
  for (const int64_t coordinate : at) node = &node->inner_[coordinate];
  node->latency_ms_ = latency_ms;
}

double NestedTimes::read(const std::vector<int64_t>& place, size_t axis) const {
  if (inner_.empty()) return latency_ms_;
  const int64_t wanted = place[axis];
  const auto above = inner_.lower_bound(wanted);
  if (above == inner_.end()) return inner_.rbegin()->second.read(place, axis + 1);
  const double high = above->second.read(place, axis + 1);
  if (above->first == wanted || above == inner_.begin()) return high;
  const auto below = std::prev(above);
  const double low = below->second.read(place, axis + 1);
  return low + (high - low) * double(wanted - below->first) / double(above->first - below->first);
}

/// The rows of a database, and what was made of them.
struct TopkExcess::Family {
  std::shared_ptr<const TableRows> rows;
  TableFields fields;
  std::vector<int64_t> native_heads;   // of every row
  Memo<int64_t, TopkExcess> excesses;  // by native heads, negative in generation

  Family(const Database& database, SharedLayer shared)
      : rows(database.rows(kTable, shared)),
        fields(*rows, {"num_heads", "batch_size", "isl", "tp_size", "step", "score_mode"}) {
    for (uint32_t row = 0; row < rows->size(); ++row)
      native_heads.push_back(fields(row, heads) * fields(row, tp));
  }

  std::shared_ptr<const TopkExcess> make(bool context, int64_t native) const {
    const int64_t random = fields.value_of(score_mode, context ? "v1_flat" : "v2_flat").value_or(-1);
    const int64_t trailing =
        fields.value_of(score_mode, context ? "v1_top_last" : "v2_top_last").value_or(-1);
    auto excess = std::make_shared<TopkExcess>();
    excess->context_ = context;
    for (uint32_t row = 0; row < rows->size(); ++row) {
      const int64_t mode = fields(row, score_mode);
      if (native_heads[row] != native || (mode != random && mode != trailing)) continue;
      const int64_t b = fields(row, batch), s = fields(row, isl), p = fields(row, step);
      (mode == random ? excess->random_ : excess->trailing_)
          .add(context ? std::vector{b, p, s} : std::vector{b, s + p}, rows->latency_ms(row));
    }
    return excess->random_.empty() && excess->trailing_.empty() ? nullptr : excess;
  }
};

std::shared_ptr<const TopkExcess> TopkExcess::find(const Binding& binding, bool context,
                                                   int64_t native_heads) {
  const Family& family = binding.family<Family>();
  const int64_t native = on_head_ladder(family.native_heads, native_heads);
  return family.excesses.get(context ? native : -native, [&] { return family.make(context, native); });
}

double TopkExcess::ms(const PhasePoint& at) const {
  const std::vector<int64_t> place =
      context_ ? std::vector{at.batch, at.prefix, at.s} : std::vector{at.batch, at.s};
  return std::max(0.0, random_.at(place) - trailing_.at(place));
}

}  // namespace perfatlas::aic
