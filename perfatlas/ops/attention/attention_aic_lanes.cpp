// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_aic_lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "perfatlas/aic/roofline.h"

namespace perfatlas::aic {
namespace {

enum Column : size_t { batch, isl, heads, kv_heads, head_dim, window, attn_dtype, kv_dtype, step };

/// Places in a TableKey.
enum KeyPlace : size_t { lane_place, fmha_place, kv_place, n_kv_place, head_place, window_place };

constexpr std::string_view op_id(AttentionPhase phase) {
  return phase == AttentionPhase::context ? "attention_context" : "attention_generation";
}

std::string lane_name(int64_t symbol) {
  const std::string_view text = Symbol::from_id(symbol).text();
  return text.empty() ? "default" : std::string(text);
}

}  // namespace

AttentionTable::AttentionTable(AttentionPhase phase, const Database& database, SharedLayer shared)
    : phase_(phase),
      system_(database.system()),
      rows_(database.rows(op_id(phase), shared)),
      fields_(*rows_, {"batch_size", "isl", "num_heads", "num_key_value_heads", "head_dim", "window_size",
                       "attn_dtype", "kv_cache_dtype", "step"}),
      index_(database.table_name(op_id(phase)), rows_,
             {{"kernel_source", &lane_name},
              fields_.part(attn_dtype),
              fields_.part(kv_dtype),
              fields_.part(kv_heads),
              fields_.part(head_dim),
              fields_.part(window)},
             [this](uint32_t row, TableKey& key) {
               const int64_t n = fields_(row, heads), n_kv = fields_(row, kv_heads);
               key[lane_place] = rows_->kernel(row).id();
               key[fmha_place] = phase_ == AttentionPhase::context ? fields_(row, attn_dtype) : 0;
               key[kv_place] = fields_(row, kv_dtype);
               key[n_kv_place] = n_kv == n ? 0 : n_kv;
               key[head_place] = fields_(row, head_dim);
               key[window_place] = fields_(row, window);
               return true;
             }) {
  // Groups come in order of first appearance, hence lanes as well.
  for (const TableIndex::Group& group : index_.groups()) {
    const std::string name = lane_name(group.key[lane_place]);
    auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& l) { return l.name == name; });
    if (lane == lanes_.end()) lane = lanes_.insert(lanes_.end(), {name, group.key[lane_place]});
    ++lane->slices;
    lane->rows += group.rows.size();
  }
}

TableKey AttentionTable::table_key(const AttentionKey& key, int64_t lane) const {
  const auto value = [&](size_t column, QuantMode mode) {
    // 16-bit floats are written bfloat16 in these tables.
    return fields_.value_of(column, name_of(mode)).value_or(-1);
  };
  return {lane,
          phase_ == AttentionPhase::context ? value(attn_dtype, key.fmha) : 0,
          value(kv_dtype, key.kv),
          key.n_kv,
          key.head_size,
          key.window};
}

std::shared_ptr<const Surface> AttentionTable::surface(const TableKey& table_key,
                                                       const AttentionKey& key) const {
  return surfaces_.get(table_key, [&]() -> std::shared_ptr<const Surface> {
    const TableIndex::Group* group = index_.find(table_key);
    if (group == nullptr) return nullptr;
    const bool context = phase_ == AttentionPhase::context;
    const MathType math = context ? profile_of(key.fmha).math : decode_math(system_, key.kv);
    const AttentionPeaks peaks{peak_flops(system_, math).value_or(0), system_.mem_bw,
                               profile_of(key.kv).bytes};
    const AttentionKey slice = key;
    PointList points(*rows_);
    for (const uint32_t row : group->rows)
      points.add(context ? Coordinates{fields_(row, heads), fields_(row, isl), fields_(row, batch)}
                         : Coordinates{fields_(row, heads), fields_(row, batch),
                                       fields_(row, isl) + fields_(row, step)},
                 row);
    if (context)
      return std::make_shared<const Surface>(
          AxisLayout{.axes = 3, .transforms = {Transform::raw, Transform::sqrt, Transform::raw}},
          std::move(points), [slice, peaks](const Coordinates& at) {
            return context_attention_sol({at[0], slice.n_kv, slice.head_size, slice.window}, peaks, at[2],
                                         at[1], 0)
                .ms();
          });
    const SolFunction sol = [slice, peaks](const Coordinates& at) {
      return generation_attention_sol({at[0], slice.n_kv, slice.head_size, slice.window}, peaks, at[1], at[2])
          .ms();
    };
    if (peaks.flops > 0) points.raise_to(sol);
    return std::make_shared<const Surface>(AxisLayout{.axes = 3}, std::move(points), sol);
  });
}

std::shared_ptr<const Surface> AttentionTable::in_lane(const AttentionKey& key,
                                                       const std::string& name) const {
  for (const Lane& lane : lanes_)
    if (lane.name == name) return surface(table_key(key, lane.symbol), key);
  return nullptr;
}

std::shared_ptr<const Surface> AttentionTable::find(const AttentionKey& key,
                                                    const std::vector<std::string>& order) const {
  for (const std::string& lane : order)
    if (auto found = in_lane(key, lane)) return found;
  for (const Lane& lane : lanes_)
    if (auto found = in_lane(key, lane.name)) return found;
  return nullptr;
}

std::shared_ptr<const Surface> AttentionTable::other_head_size(const AttentionKey& key,
                                                               const std::vector<std::string>& order,
                                                               int64_t& head_size) const {
  std::vector<std::string> lanes = order, rest;
  for (const Lane& lane : lanes_)
    if (std::find(order.begin(), order.end(), lane.name) == order.end()) rest.push_back(lane.name);
  std::sort(rest.begin(), rest.end());
  lanes.insert(lanes.end(), rest.begin(), rest.end());
  for (const std::string& name : lanes) {
    const auto lane =
        std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& l) { return l.name == name; });
    if (lane == lanes_.end()) continue;
    const TableKey wanted = table_key(key, lane->symbol);
    std::vector<int64_t> sizes;
    for (const TableIndex::Group& group : index_.groups())
      if (std::equal(wanted.begin(), wanted.begin() + head_place, group.key.begin()))
        sizes.push_back(group.key[head_place]);
    if (sizes.empty()) continue;
    std::sort(sizes.begin(), sizes.end());
    const auto farness = [&](int64_t size) {
      return size == 128 ? -1.0 : std::abs(std::log(double(size)) - std::log(double(key.head_size)));
    };
    AttentionKey other = key;
    other.head_size = *std::min_element(sizes.begin(), sizes.end(),
                                        [&](int64_t a, int64_t b) { return farness(a) < farness(b); });
    if (auto found = surface(table_key(other, lane->symbol), other)) {
      head_size = other.head_size;
      return found;
    }
  }
  return nullptr;
}

std::string AttentionTable::why_missing(const AttentionKey& key) const {
  if (lanes_.empty()) return index_.why_missing({});
  return index_.why_missing(table_key(key, lanes_[0].symbol));
}

namespace {

constexpr std::array<std::string_view, 5> kKnownLanes{"fa3", "fla", "flashinfer", "triton", "trtllm_mha"};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What a back end's name for a kernel family is called in tables; nothing when it has no such family.
std::optional<std::vector<std::string>> override_lanes(std::string_view backend, std::string_view name) {
  using Names = std::vector<std::string>;
  if (name == "default") return Names{};
  if (backend == "sglang" && std::find(kKnownLanes.begin(), kKnownLanes.end(), name) != kKnownLanes.end())
    return Names{std::string(name)};
  if (backend == "vllm" && name == "triton") return Names{"vllm_triton_attn"};
  if (backend == "vllm" && name == "flashinfer")
    return Names{"vllm_flashinfer_trtllmprefill", "vllm_flashinfer_trtllmdecode", "vllm_flashinfer"};
  return std::nullopt;
}

/// Pinned lanes, known lanes by how much `table` holds, "default", other lanes of the table by how much they hold.
std::vector<std::string> walk(const std::vector<std::string>& pinned, const AttentionTable& table) {
  const auto density = [&](const std::string& name) {
    for (const AttentionTable::Lane& lane : table.lanes())
      if (lane.name == name) return std::pair(lane.slices, lane.rows);
    return std::pair<size_t, size_t>();
  };
  const auto denser = [&](const std::string& a, const std::string& b) {
    return density(a) != density(b) ? density(a) > density(b) : a < b;
  };
  std::vector<std::string> known, others;
  for (const std::string_view lane : kKnownLanes)
    if (!contains(pinned, lane)) known.emplace_back(lane);
  for (const AttentionTable::Lane& lane : table.lanes())
    if (lane.name != "default" && !contains(pinned, lane.name) && !contains(known, lane.name))
      others.push_back(lane.name);
  std::sort(known.begin(), known.end(), denser);
  std::sort(others.begin(), others.end(), denser);
  std::vector<std::string> order = pinned;
  order.insert(order.end(), known.begin(), known.end());
  order.push_back("default");
  order.insert(order.end(), others.begin(), others.end());
  return order;
}

bool has_lane(const AttentionTable& table, std::string_view name) {
  return std::any_of(table.lanes().begin(), table.lanes().end(),
                     [&](const AttentionTable::Lane& lane) { return lane.name == name; });
}

}  // namespace

LaneOrder lane_order(const Binding& binding, const AttentionTable& table, const AttentionTable& own,
                     const std::string& attention_backend) {
  const Database& database = binding.database;
  std::vector<std::string> pinned;
  const auto pin = [&](const std::string& lane) {
    if (lane != "default" && !contains(pinned, lane)) pinned.push_back(lane);
  };
  if (!attention_backend.empty()) {
    const auto named = override_lanes(database.backend(), attention_backend);
    const bool measured =
        named && (named->empty() || std::any_of(named->begin(), named->end(),
                                                [&](const auto& lane) { return has_lane(table, lane); }));
    if (!measured)
      return {.supported = false,
              .why_unsupported = fmt::format("attention backend '{}' {} of {} on {}", attention_backend,
                                             named ? "has no rows in the tables" : "is no kernel family",
                                             database.backend(), database.system().name)};
    for (const std::string& lane : *named) pin(lane);
  }
  const std::optional<std::string> preset =
      database.root().default_attention_lane({database.system().name, database.backend(), database.version()},
                                             database.system().sm_version.value_or(-1));
  if (preset) pin(*preset);
  if (pinned.empty() && !preset) return {.lanes = {"default"}};

  const std::vector<std::string> all = walk(pinned, table);
  if (own.lanes().empty()) return {.lanes = all};
  LaneOrder order{.lanes = pinned};
  for (const std::string& lane : walk(pinned, own))
    if (has_lane(own, lane) && !contains(pinned, lane)) order.lanes.push_back(lane);
  for (const std::string& lane : all)
    if (!has_lane(own, lane) && !contains(pinned, lane)) order.lanes.push_back(lane);
  return order;
}

}  // namespace perfatlas::aic
