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

struct SliceRow {
  FieldValues values{};
  int64_t kernel = 0;  // Symbol::id, 0 where kernels are not told apart
  int64_t state = -1;  // -1: not recorded
  double latency_ms = 0;
  std::optional<double> energy_mj;
};

/// Collects rows into slices.
class Splitter {
 public:
  /// `distinct`: no two rows of one slice have the same place.
  Splitter(const OpType& op, bool distinct) : op_(&op), distinct_(distinct) {
    for (const FieldType& field : op.fields) keyed_ = keyed_ || field.keyed;
  }

  /// Leaves out rows whose place is taken, and what was measured as absent.
  void add(const SliceRow& row, uint32_t number) {
    if (!(row.latency_ms > 0)) return;
    const size_t number_of_slice = slice_of(row);
    const Coordinates place = coordinates_of(*op_, row.values);
    if (!distinct_ && !places_[number_of_slice].insert(place).second) return;
    OpSlice& slice = slices_[number_of_slice];
    slice.points.push_back({place, row.latency_ms, row.energy_mj});
    slice.rows.push_back(number);
  }

  std::vector<OpSlice> take() { return std::move(slices_); }

 private:
  /// Number of a row's slice. Rows of a slice follow each other, or those of a few slices alternate: making a key
  /// takes longer than comparing the fields that it is made of.
  size_t slice_of(const SliceRow& row) {
    if (!keyed_)
      for (const Recent& recent : recent_)
        if (recent.number < slices_.size() && recent.kernel == row.kernel && recent.state == row.state &&
            same_exact_fields(slices_[recent.number].prototype, row.values))
          return recent.number;
    SliceKey key = op_->slice_of(row.values);
    key.push_back(row.kernel);
    key.push_back(row.state);
    const auto [at, is_new] = numbers_.try_emplace(std::move(key), slices_.size());
    if (is_new) {
      slices_.push_back({.prototype = row.values});
      places_.emplace_back();
    }
    recent_[next_recent_++ % recent_.size()] = {at->second, row.kernel, row.state};
    return at->second;
  }

  bool same_exact_fields(const FieldValues& a, const FieldValues& b) const {
    for (size_t i = 0; i < op_->fields.size(); ++i)
      if (op_->fields[i].role == Role::exact && a[i] != b[i]) return false;
    return true;
  }

  struct Recent {
    size_t number = SIZE_MAX;  // none
    int64_t kernel = 0, state = 0;
  };
  const OpType* op_;
  bool distinct_, keyed_ = false;
  std::array<Recent, 4> recent_{};  // slices that were looked for last
  size_t next_recent_ = 0;
  std::map<SliceKey, size_t> numbers_;
  std::vector<OpSlice> slices_;
  std::vector<std::unordered_set<Coordinates, CoordinatesHash>> places_;
};

std::optional<double> energy_of(const Row& row, double latency) {
  if (row.quality && row.quality->energy_mj) return row.quality->energy_mj;
  if (row.power_w && *row.power_w > 0) return *row.power_w * latency;
  return std::nullopt;
}

}  // namespace

SolLaw OpSlice::sol(const OpType& op) const { return sol_law(op, prototype, context(), points); }

std::vector<OpSlice> slices_of(const TableRows& rows, const AicSystem& system) {
  const OpType& op = rows.op();
  const bool by_kernel = op.layout.merge.by_kernel;
  // The key of merged rows (TableRows) is that of slices and places, and the distinguishing fields.
  const bool distinct = std::none_of(op.fields.begin(), op.fields.end(),
                                     [](const FieldType& field) { return field.distinguishes; });
  Splitter splitter(op, distinct);
  for (size_t i = 0; i < rows.size(); ++i) {
    SliceRow row{.values = rows.values(i), .latency_ms = rows.latency_ms(i)};
    if (by_kernel) row.kernel = rows.kernel(i).id();
    if (const double power = rows.power_w(i); power > 0) row.energy_mj = power * row.latency_ms;
    splitter.add(row, uint32_t(i));
  }
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
  for (size_t i = 0; i < rows.size(); ++i) {
    const double latency = latency_ms(rows[i]);
    splitter.add({.values = rows[i].c.values,
                  .kernel = Symbol(rows[i].kernel_source).id(),
                  .state = rows[i].quality ? int64_t(rows[i].quality->cache_state) : -1,
                  .latency_ms = latency,
                  .energy_mj = energy_of(rows[i], latency)},
                 uint32_t(i));
  }
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
