// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/align/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>
#include <string_view>

#include "perfatlas/base/error.h"

namespace perfatlas {
namespace {

/// The ranges of one thread that are open at a moment, outermost first, as the moment moves on.
class OpenRanges {
 public:
  explicit OpenRanges(std::vector<size_t> in_order) : order_(std::move(in_order)) {}

  /// The innermost range open at `time_ns`; sets the parents of ranges on the way. Times must not decrease.
  std::optional<size_t> at(int64_t time_ns, const RecordedTrace& recorded, Trace& trace) {
    while (next_ < order_.size() && recorded.ranges[order_[next_]].start_ns <= time_ns) {
      const size_t range = order_[next_++];
      close_before(recorded.ranges[range].start_ns, recorded);
      if (!open_.empty()) trace.ranges[range].parent = open_.back();
      open_.push_back(range);
    }
    close_before(time_ns, recorded);
    if (open_.empty()) return std::nullopt;
    return open_.back();
  }

 private:
  void close_before(int64_t time_ns, const RecordedTrace& recorded) {
    std::erase_if(open_, [&](size_t range) { return recorded.ranges[range].end_ns <= time_ns; });
  }

  std::vector<size_t> order_;
  size_t next_ = 0;
  std::vector<size_t> open_;
};

/// Indices sorted by a key, equal ones as they lie.
template <class Key>
std::vector<size_t> sorted_indices(size_t count, const Key& key) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return key(a) < key(b); });
  return order;
}

}  // namespace

Trace assign_kernels(const RecordedTrace& recorded) {
  Trace trace;
  for (const RecordedTrace::Range& range : recorded.ranges) trace.ranges.push_back({.name = range.name});
  std::map<int64_t, std::vector<size_t>> ranges_of;
  for (const size_t i :
       sorted_indices(recorded.ranges.size(), [&](size_t r) { return recorded.ranges[r].start_ns; }))
    ranges_of[recorded.ranges[i].thread].push_back(i);
  std::map<int64_t, OpenRanges> open;
  for (auto& [thread, order] : ranges_of) open.emplace(thread, std::move(order));
  std::map<int64_t, std::optional<size_t>> range_of;  // by correlation
  for (const size_t i :
       sorted_indices(recorded.launches.size(), [&](size_t l) { return recorded.launches[l].start_ns; })) {
    const RecordedTrace::Launch& launch = recorded.launches[i];
    const auto found = open.find(launch.thread);
    if (found != open.end())
      range_of[launch.correlation] = found->second.at(launch.start_ns, recorded, trace);
  }
  for (const RecordedTrace::Kernel& kernel : recorded.kernels) {
    const auto found = range_of.find(kernel.correlation);
    const std::optional<size_t> range = found == range_of.end() ? std::nullopt : found->second;
    trace.kernels.push_back({kernel.name, double(kernel.duration_ns) / 1e3, range});
    for (std::optional<size_t> at = range; at; at = trace.ranges[*at].parent) ++trace.ranges[*at].kernels;
  }
  return trace;
}

RecordedTrace read_trace(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(fmt::format("{}: cannot be read", path));
  char head[16] = {};
  file.read(head, sizeof head);
  const std::string_view text(head, size_t(file.gcount()));
  if (text.starts_with("SQLite format 3")) return read_sqlite_trace(path);
  if (const size_t first = text.find_first_not_of(" \t\r\n");
      first != text.npos && (text[first] == '{' || text[first] == '['))
    return read_json_trace(path);
  throw Error(fmt::format(
      "{}: neither an SQLite export of nsys (nsys export --type sqlite) nor a Kineto or Chrome trace in "
      "JSON (unpack .gz files first)",
      path));
}

}  // namespace perfatlas
