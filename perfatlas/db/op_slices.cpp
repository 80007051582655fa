// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/db/op_slices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "perfatlas/db/published_machine.h"
#include "perfatlas/interp/atlas_op.h"

namespace perfatlas {
namespace {

/// A row of a table as the splitter looks at it: most of what it needs are single fields.
struct PublishedRow {
  const TableRows& rows;
  size_t number;
  bool by_kernel;

  int64_t value(size_t field) const { return rows.value(number, field); }
  FieldValues values() const { return rows.values(number); }
  int64_t kernel() const { return by_kernel ? rows.kernel(number).id() : 0; }
  int64_t state() const { return kNoState; }
  double latency() const { return rows.latency_ms(number); }
  std::optional<double> energy(double latency) const {
    const double power = rows.power_w(number);
    return power > 0 ? std::optional(power * latency) : std::nullopt;
  }
  static constexpr int64_t kNoState = -1;  // not recorded
};

struct PlacedRow {
  const Row& row;

  int64_t value(size_t field) const { return row.c.values[field]; }
  const FieldValues& values() const { return row.c.values; }
  int64_t kernel() const { return Symbol(row.kernel_source).id(); }
  int64_t state() const { return row.quality ? int64_t(row.quality->cache_state) : PublishedRow::kNoState; }
  double latency() const { return latency_ms(row); }
  std::optional<double> energy(double latency) const {
    if (row.quality && row.quality->energy_mj) return row.quality->energy_mj;
    if (row.power_w && *row.power_w > 0) return *row.power_w * latency;
    return std::nullopt;
  }
};

/// Collects rows into slices.
class Splitter {
 public:
  /// `distinct`: no two rows of one slice have the same place.
  Splitter(const OpType& op, bool distinct) : op_(&op), distinct_(distinct) {
    for (size_t i = 0; i < op.fields.size(); ++i) {
      keyed_ = keyed_ || op.fields[i].keyed;
      if (op.fields[i].role == Role::exact) exact_.push_back(i);
    }
  }

  /// Announces the rows that will be added, all of them and in their order: without that a slice's points are moved
  /// again and again while they grow.
  template <class RowView>
  void expect(const RowView& row) {
    if (keyed_) return;  // finding their slices takes longer than moving points
    const size_t slice = slice_of(row);
    expected_.resize(slices_.size());
    ++expected_[slice];
    announced_.push_back(uint32_t(slice));
  }
  /// Makes room for what was announced.
  void reserve() {
    for (size_t i = 0; i < expected_.size(); ++i) {
      slices_[i].points.reserve(expected_[i]);
      slices_[i].rows.reserve(expected_[i]);
    }
  }

  /// Leaves out rows whose place is taken, and what was measured as absent.
  template <class RowView>
  void add(const RowView& row, uint32_t number) {
    const double latency = row.latency();
    if (!(latency > 0)) return;
    const size_t number_of_slice =
        next_announced_ < announced_.size() ? announced_[next_announced_++] : slice_of(row);
    const Coordinates place = place_of(row);
    if (!distinct_ && !places_[number_of_slice].insert(place).second) return;
    OpSlice& slice = slices_[number_of_slice];
    slice.points.push_back({place, latency, row.energy(latency)});
    slice.rows.push_back(number);
  }

  std::vector<OpSlice> take() { return std::move(slices_); }

 private:
  /// Number of a row's slice. Rows of a slice follow each other, or those of a few slices alternate: making a key
  /// takes longer than comparing the fields that it is made of.
  template <class RowView>
  size_t slice_of(const RowView& row) {
    const int64_t kernel = row.kernel(), state = row.state();
    for (size_t i = 0; i < exact_.size(); ++i) asked_[i] = row.value(exact_[i]);
    if (!keyed_)
      for (const Recent& recent : recent_)
        if (recent.kernel == kernel && recent.state == state && has_asked_fields(recent))
          return recent.number;
    const FieldValues values = row.values();
    SliceKey key = op_->slice_of(values);
    key.push_back(kernel);
    key.push_back(state);
    const auto [at, is_new] = numbers_.try_emplace(std::move(key), slices_.size());
    if (is_new) {
      slices_.push_back({.prototype = values});
      places_.emplace_back();
    }
    recent_[next_recent_++ % recent_.size()] = {at->second, kernel, state, asked_};
    return at->second;
  }

  /// As coordinates_of; axes that are fields are read alone.
  template <class RowView>
  Coordinates place_of(const RowView& row) const {
    Coordinates place{};
    for (size_t d = 0; d < op_->axes.size(); ++d) {
      const AxisType& axis = op_->axes[d];
      place[d] = axis.field ? row.value(*axis.field) : axis.get(row.values());
    }
    return place;
  }

  struct Recent {
    size_t number = SIZE_MAX;  // none
    int64_t kernel = 0, state = 0;
    FieldValues exact{};  // in the order of exact_
  };
  bool has_asked_fields(const Recent& recent) const {
    if (recent.number == SIZE_MAX) return false;
    for (size_t i = 0; i < exact_.size(); ++i)
      if (recent.exact[i] != asked_[i]) return false;
    return true;
  }

  const OpType* op_;
  bool distinct_, keyed_ = false;
  std::vector<size_t> exact_;        // fields
  std::vector<size_t> expected_;     // points by slice
  std::vector<uint32_t> announced_;  // slices of the rows that are still to be added, from next_announced_ on
  size_t next_announced_ = 0;
  std::array<Recent, 8> recent_{};  // slices that were looked for last
  size_t next_recent_ = 0;
  FieldValues asked_{};  // the exact fields of the row that is looked at
  std::map<SliceKey, size_t> numbers_;
  std::vector<OpSlice> slices_;
  std::vector<std::unordered_set<Coordinates, CoordinatesHash>> places_;
};

}  // namespace

SolLaw OpSlice::sol(const OpType& op) const { return sol_law(op, prototype, context(), points); }

std::vector<OpSlice> slices_of(const TableRows& rows, const AicSystem& system) {
  const OpType& op = rows.op();
  const bool by_kernel = op.layout.merge.by_kernel;
  // The key of merged rows (TableRows) is that of slices and places, and the distinguishing fields.
  const bool distinct = std::none_of(op.fields.begin(), op.fields.end(),
                                     [](const FieldType& field) { return field.distinguishes; });
  Splitter splitter(op, distinct);
  for (size_t i = 0; i < rows.size(); ++i)
    if (const PublishedRow row{rows, i, by_kernel}; !op.info.zero_is_measured || row.latency() > 0)
      splitter.expect(row);
  splitter.reserve();
  for (size_t i = 0; i < rows.size(); ++i) splitter.add(PublishedRow{rows, i, by_kernel}, uint32_t(i));
  std::vector<OpSlice> slices = splitter.take();
  for (OpSlice& slice : slices) {
    if (by_kernel) slice.kernel = std::string(rows.kernel(slice.rows[0]).text());
    slice.machine = std::make_shared<const SystemSpec>(published_machine(system, op, slice.prototype));
  }
  return slices;
}

std::vector<OpSlice> slices_of(const OpType& op, std::span<const Row> rows,
                               std::shared_ptr<const SystemSpec> machine) {
  Splitter splitter(op, false);
  for (size_t i = 0; i < rows.size(); ++i) splitter.add(PlacedRow{rows[i]}, uint32_t(i));
  std::vector<OpSlice> slices = splitter.take();
  for (OpSlice& slice : slices) {
    const Row& first = rows[slice.rows[0]];
    slice.kernel = first.kernel_source;
    slice.machine = machine;
    if (first.quality) slice.cache = first.quality->cache_state;
  }
  return slices;
}

std::string slice_text(const OpType& op, const OpSlice& slice) {
  std::string text;
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].role == Role::exact)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", op.fields[i].column,
                          op.fields[i].format(slice.prototype[i]));
  if (!slice.kernel.empty()) text += fmt::format("{}kernel={}", text.empty() ? "" : " ", slice.kernel);
  return text;
}

}  // namespace perfatlas
