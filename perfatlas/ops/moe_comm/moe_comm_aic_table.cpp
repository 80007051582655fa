// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/moe_comm/moe_comm_aic_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "perfatlas/aic/table_fields.h"

namespace perfatlas::aic {
namespace {

constexpr int64_t kDeepEpNode = 8, kNvlinkNode = 4;

/// Position of a measured column.
size_t measured_column(const TableRows& rows, std::string_view name) {
  const auto columns = rows.op().info.measured;
  return size_t(std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; }) -
                columns.begin());
}

std::shared_ptr<const Surface> surface_of(size_t axes, PointList points) {
  if (points.empty()) return nullptr;
  // Nothing is known of the links: beyond the points latency grows with the tokens.
  return std::make_shared<const Surface>(AxisLayout{.axes = axes}, std::move(points),
                                         [axes](const Coordinates& at) { return double(at[axes - 1]); });
}

/// Points with the rows that they are from, where these are of one table.
class Collected {
 public:
  void add(const Coordinates& at, double ms, const TableRows* table, uint32_t row) {
    if (places_.empty()) table_ = table;
    if (table != table_) table_ = nullptr;
    places_.push_back({at, ms, row});
  }
  PointList take() const {
    if (table_ == nullptr) {
      std::vector<MeasuredPoint> points;
      for (const Place& place : places_) points.push_back({place.at, place.ms, 0.0});
      return PointList(std::move(points));
    }
    PointList list(*table_);
    for (const Place& place : places_) list.add(place.at, place.row, place.ms);
    return list;
  }

 private:
  struct Place {
    Coordinates at;
    double ms;
    uint32_t row;
  };
  const TableRows* table_ = nullptr;
  std::vector<Place> places_;
};

}  // namespace

AllToAllTable::AllToAllTable(const Database& database, SharedLayer shared) {
  add_deepep(database, shared, false);
  add_deepep(database, shared, true);
  add_nvlink(database, shared);
  add_unified(database, shared);
}

void AllToAllTable::add(const AllToAllShape& shape, int64_t sms, int64_t tokens, const Time& time) {
  shapes_[shape].try_emplace({sms, tokens}, time);
}

void AllToAllTable::add_deepep(const Database& database, SharedLayer shared, bool low_latency) {
  const auto rows =
      tables_.emplace_back(database.rows(low_latency ? "deepep_low_latency" : "deepep_normal", shared));
  std::vector<std::string_view> columns{"node_num", "hidden_size", "num_token", "num_topk", "num_experts"};
  if (!low_latency) columns.push_back("dispatch_sms");
  const TableFields fields(*rows, columns);
  for (const std::string phase : {"dispatch", "combine"}) {
    std::vector<size_t> parts;
    if (low_latency)
      parts = {measured_column(*rows, phase + "_avg_t_us")};
    else
      parts = {measured_column(*rows, phase + "_transmit_us"), measured_column(*rows, phase + "_notify_us")};
    for (uint32_t row = 0; row < rows->size(); ++row) {
      double us = 0;
      for (const size_t part : parts) us += rows->measured(row, part);
      const int64_t nodes = fields(row, 0);
      add({low_latency ? "deepep_ll" : "deepep_ht", phase, "default", nodes * kDeepEpNode, nodes,
           fields(row, 1), fields(row, 3), fields(row, 4)},
          low_latency ? 0 : fields(row, 5), fields(row, 2), {us / 1000, rows.get(), row});
    }
  }
}

void AllToAllTable::add_nvlink(const Database& database, SharedLayer shared) {
  const auto rows = tables_.emplace_back(database.rows("trtllm_all_to_all", shared));
  const TableFields fields(*rows, {"op_name", "kernel_source", "moe_dtype", "num_tokens", "hidden_size",
                                   "topk", "num_experts", "moe_ep_size"});
  for (uint32_t row = 0; row < rows->size(); ++row) {
    const std::string kernel = fields.text_of(1, fields(row, 1));
    const std::string backend = kernel == "NVLinkOneSided"   ? "nvlink_one_sided"
                                : kernel == "NVLinkTwoSided" ? "nvlink_two_sided"
                                                             : std::string();
    std::string phase = fields.text_of(0, fields(row, 0)), dtype = fields.text_of(2, fields(row, 2));
    constexpr std::string_view kPrefix = "alltoall_", kLow = "_low_precision";
    if (phase.starts_with(kPrefix)) phase.erase(0, kPrefix.size());
    if (phase.ends_with(kLow)) {
      phase.resize(phase.size() - kLow.size());
      dtype = "fp4";
    }
    const int64_t ep = fields(row, 7);
    if (!backend.empty())
      add({backend, phase, dtype, ep, std::max<int64_t>(1, ep / kNvlinkNode), fields(row, 4), fields(row, 5),
           fields(row, 6)},
          0, fields(row, 3), {rows->latency_ms(row), rows.get(), row});
  }
}

void AllToAllTable::add_unified(const Database& database, SharedLayer shared) {
  const auto rows = tables_.emplace_back(database.rows("moe_all_to_all", shared));
  const TableFields fields(*rows, {"comm_backend", "phase", "comm_dtype", "ep_size", "node_num",
                                   "hidden_size", "topk", "num_experts", "num_tokens", "sms"});
  std::set<std::tuple<AllToAllShape, int64_t, int64_t>> seen;
  for (uint32_t row = 0; row < rows->size(); ++row) {
    const AllToAllShape shape{fields.text_of(0, fields(row, 0)),
                              fields.text_of(1, fields(row, 1)),
                              fields.text_of(2, fields(row, 2)),
                              fields(row, 3),
                              fields(row, 4),
                              fields(row, 5),
                              fields(row, 6),
                              fields(row, 7)};
    if (!seen.insert({shape, fields(row, 9), fields(row, 8)}).second) continue;
    shapes_[shape][{fields(row, 9), fields(row, 8)}] = {rows->latency_ms(row), rows.get(), row};
  }
}

std::string AllToAllTable::known_dtype(const std::string& backend, const std::string& phase,
                                       const std::string& asked) const {
  std::set<std::string> known;
  for (const auto& [shape, points] : shapes_)
    if (shape.backend == backend && shape.phase == phase) known.insert(shape.dtype);
  if (known.contains(asked)) return asked;
  if (asked == "fp8_block" && known.contains("fp8")) return "fp8";
  if (known.size() == 1 && *known.begin() == "default") return "default";
  return asked;
}

std::shared_ptr<const Surface> AllToAllTable::curve(const AllToAllShape& shape, int64_t sms) const {
  Collected points;
  if (const auto at = shapes_.find(shape); at != shapes_.end())
    for (const auto& [place, time] : at->second)
      if (place.first == sms) points.add({place.second}, time.ms, time.table, time.row);
  return surface_of(1, points.take());
}

std::shared_ptr<const Surface> AllToAllTable::grid(const AllToAllShape& shape) const {
  Collected points;
  if (const auto at = shapes_.find(shape); at != shapes_.end())
    for (const auto& [place, time] : at->second)
      points.add({place.first, place.second}, time.ms, time.table, time.row);
  return surface_of(2, points.take());
}

std::shared_ptr<const Surface> AllToAllTable::sum_grid(const AllToAllShape& a, const AllToAllShape& b) const {
  const auto first = shapes_.find(a), second = shapes_.find(b);
  std::vector<MeasuredPoint> points;
  if (first != shapes_.end() && second != shapes_.end())
    for (const auto& [place, time] : first->second)
      if (const auto other = second->second.find(place); other != second->second.end())
        points.push_back({{place.first, place.second}, time.ms + other->second.ms, 0.0});
  return surface_of(2, PointList(std::move(points)));
}

std::string AllToAllTable::why_missing(const AllToAllShape& shape) const {
  if (shapes_.empty()) return "there is no table of all-to-all communication";
  std::string sizes;
  for (const auto& [known, points] : shapes_)
    if (known.backend == shape.backend && known.phase == shape.phase && known.hidden == shape.hidden)
      sizes +=
          fmt::format("{}{} x {} nodes {}", sizes.empty() ? "" : ", ", known.ep, known.nodes, known.dtype);
  return fmt::format(
      "all-to-all {} {} in {} over {} GPUs on {} nodes, hidden_size {}, topk {}, {} experts was not "
      "measured; of this backend and size: {}",
      shape.backend, shape.phase, shape.dtype, shape.ep, shape.nodes, shape.hidden, shape.topk, shape.experts,
      sizes.empty() ? "nothing" : sizes);
}

}  // namespace perfatlas::aic
