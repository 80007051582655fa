// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/table_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace perfatlas::aic {
namespace {

constexpr size_t kShownValues = 12;

std::string text_of(const KeyPart& part, int64_t value) {
  return part.format != nullptr ? part.format(value) : std::to_string(value);
}

}  // namespace

size_t TableKeyHash::operator()(const TableKey& key) const {
  uint64_t hash = 0;
  for (const int64_t part : key) hash = (hash ^ uint64_t(part)) * 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
  return size_t(hash ^ (hash >> 32));
}

void TableIndex::add(const TableKey& key, uint32_t row) {
  // Rows of a group follow each other, or those of a few groups (dtypes of one shape) alternate.
  // The first parts differ most often; comparing bytes would look at all twelve.
  for (const uint32_t group : recent_)
    if (group < groups_.size() && groups_[group].key[0] == key[0] && groups_[group].key == key)
      return groups_[group].rows.push_back(row);
  const auto [at, is_new] = positions_.try_emplace(key, uint32_t(groups_.size()));
  if (is_new) groups_.push_back({key, {}});
  groups_[at->second].rows.push_back(row);
  recent_[next_recent_++ % recent_.size()] = at->second;
}

const TableIndex::Group* TableIndex::find(const TableKey& key) const {
  const auto at = positions_.find(key);
  return at == positions_.end() ? nullptr : &groups_[at->second];
}

std::string TableIndex::why_missing(const TableKey& key) const {
  if (empty()) return fmt::format("there is no {} table", table_);
  std::string before;
  for (size_t part = 0; part < parts_.size(); ++part) {
    std::vector<int64_t> values;
    for (const Group& group : groups_) {
      if (!std::equal(key.begin(), key.begin() + ptrdiff_t(part), group.key.begin())) continue;
      if (std::find(values.begin(), values.end(), group.key[part]) == values.end())
        values.push_back(group.key[part]);
    }
    const std::string wanted = fmt::format("{}={}", parts_[part].name, text_of(parts_[part], key[part]));
    if (std::find(values.begin(), values.end(), key[part]) != values.end()) {
      before += (before.empty() ? "" : " ") + wanted;
      continue;
    }
    std::string shown;
    if (parts_[part].format == nullptr) std::sort(values.begin(), values.end());
    for (size_t i = 0; i < std::min(values.size(), kShownValues); ++i)
      shown += (i > 0 ? ", " : "") + text_of(parts_[part], values[i]);
    if (values.size() > kShownValues) shown += fmt::format(" and {} more", values.size() - kShownValues);
    return fmt::format("the {} table has no rows of {}{}{}; measured {}: {}", table_, wanted,
                       before.empty() ? "" : " among those of ", before, parts_[part].name, shown);
  }
  return {};
}

}  // namespace perfatlas::aic
