// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "perfatlas/base/text.h"
#include "perfatlas/db/answer_parts_impl.h"
#include "perfatlas/store/contradiction_text.h"

namespace perfatlas {
namespace {

std::array<double, kMaxAxes> position_of(const OpType& op, const FieldValues& values) {
  std::array<double, kMaxAxes> at{};
  for (size_t d = 0; d < op.axes.size(); ++d) at[d] = double(op.axes[d].get(values));
  return at;
}

}  // namespace

std::string axes_text(const OpType& op, const FieldValues& values) {
  std::string text;
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].role == Role::axis)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", op.fields[i].column,
                          op.fields[i].format(values[i]));
  return text;
}

double distance_to(const OpType& op, const FieldValues& values, std::span<const FieldValues> rows) {
  double nearest = rows.empty() ? 0 : std::numeric_limits<double>::infinity();
  for (const FieldValues& row : rows)
    nearest = std::min(nearest,
                       octaves_between(coordinates_of(op, values), coordinates_of(op, row), op.axes.size()));
  return nearest;
}

void add_estimate(Answer& answer, const AtlasEstimate& e) {
  answer.source = e.repaired ? AnswerSource::interpolated : source_of(e.kind);
  answer.latency_ms = e.latency_ms;
  if (!std::isnan(e.power_w)) answer.energy_mj = e.power_w * e.latency_ms;
  answer.intervals.emplace();
  for (size_t level = 0; level < 3; ++level)
    (*answer.intervals)[level] = std::exp(double(e.half_width[level]));
  if (answer.source != AnswerSource::measured) answer.rel_error = (*answer.intervals)[1] - 1;
  answer.repaired = e.repaired;
  answer.faster_than_light = e.faster_than_light;
  if (e.repaired)
    answer.notes.push_back("the row measured here is spoiled; answered is what its neighbours say");
  if (e.faster_than_light)
    answer.notes.push_back("a row behind this beats the speed of light of the described machine");
}

std::string missing_field(const OpType& op, const FieldValues& values,
                          std::span<const FieldValues> prototypes) {
  std::vector<FieldValues> agreeing(prototypes.begin(), prototypes.end());
  std::string matched;
  const SliceKey wanted = op.slice_of(values);
  size_t depth = 0;  // position in the slice key
  for (size_t field = 0; field < op.fields.size(); ++field) {
    const FieldType& type = op.fields[field];
    if (type.role != Role::exact) continue;
    std::set<std::string> measured;
    for (const FieldValues& prototype : agreeing) measured.insert(type.format(prototype[field]));
    std::erase_if(agreeing, [&](const FieldValues& p) { return op.slice_of(p)[depth] != wanted[depth]; });
    if (agreeing.empty()) {
      const std::vector<std::string_view> words(measured.begin(), measured.end());
      return fmt::format("{}={}{}; measured{}: {}", type.column, type.format(values[field]),
                         matched.empty() ? "" : " with" + matched, matched.empty() ? "" : " there",
                         words.empty() ? "nothing" : join_words(words));
    }
    matched += fmt::format(" {}={}", type.column, type.format(values[field]));
    ++depth;
  }
  return {};
}

AnswerSource source_of(EstimateKind kind) {
  switch (kind) {
    case EstimateKind::exact:
      return AnswerSource::measured;
    case EstimateKind::interpolated:
      return AnswerSource::interpolated;
    case EstimateKind::held:
      return AnswerSource::extrapolated;
    case EstimateKind::miss:
      break;
  }
  return AnswerSource::none;
}

void add_supporting_rows(Answer& answer, const TableSlice& slice, std::span<const Support> supports) {
  std::vector<std::string> kernels;
  size_t raised = 0, throttled = 0;
  std::string contradiction;
  for (const Support& support : supports) {
    const Row& row = slice.row(support.point);
    const auto other = slice.contradicting_ms(uint32_t(support.point));
    if (other && contradiction.empty())
      contradiction =
          contradiction_text("the table", row.c, {.counts_ms = latency_ms(row), .other_ms = *other});
    SupportingRow& from = answer.derived_from.emplace_back();
    from = {axes_text(*row.c.op, row.c.values), latency_ms(row), std::nullopt, row.kernel_source,
            support.weight};
    if (row.quality) from.rel_ci95 = row.quality->rel_ci95;
    raised += slice.raised(support.point);
    throttled += row.quality && row.quality->throttled;
    if (std::find(kernels.begin(), kernels.end(), row.kernel_source) == kernels.end())
      kernels.push_back(row.kernel_source);
  }
  answer.kernel_source = fmt::format("{}", fmt::join(kernels, "+"));
  if (!contradiction.empty()) answer.notes.push_back(std::move(contradiction));
  if (raised > 0 && answer.engine == Engine::aic)
    answer.notes.push_back(
        fmt::format("{} supporting rows beat the speed of light and count as that", raised));
  if (throttled > 0)
    answer.notes.push_back(
        fmt::format("{} supporting rows were measured while the device throttled", throttled));
}

void answer_by_atlas(Answer& answer, OpTable& rows, const TableSlice& slice, const Case& asked,
                     std::string_view kernel) {
  const OpType& op = *asked.op;
  const RowState state = slice.state();
  const auto at = position_of(op, asked.values);
  const AtlasEstimate e = slice.model().estimate(at.data(), rows.bars(state, kernel));
  if (e.kind == EstimateKind::miss) {
    answer.miss_reason =
        "the case lies beyond the measured points and no speed of light is known to extend them";
    return;
  }
  const std::vector<Support> support = slice.model().support(at.data());
  add_estimate(answer, e);
  std::vector<FieldValues> behind;
  for (const Support& s : support) behind.push_back(slice.row(s.point).c.values);
  answer.distance_octaves = distance_to(op, asked.values, behind);
  if (const Row& row = slice.row(support[0].point);
      answer.source == AnswerSource::measured && row.quality && row.quality->rel_ci95 > 0)
    answer.rel_error = row.quality->rel_ci95;
  answer.cache_state = state;
  add_supporting_rows(answer, slice, support);
  if (const double bound = sol_ms(op, asked.values, slice.context()); bound > 0) answer.sol_ms = bound;
  if (slice.context().system == nullptr) answer.notes.push_back(kNotDescribed);
}

}  // namespace perfatlas
