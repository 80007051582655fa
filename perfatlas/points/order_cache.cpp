// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/points/order_cache.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "perfatlas/base/error.h"
#include "perfatlas/base/file.h"
#include "perfatlas/base/hash.h"

namespace perfatlas {
namespace {

// Raised when another order is made of the same cases.
constexpr uint64_t kOrderRevision = 1;
constexpr size_t kWorthKeeping = 2000;  // cases; smaller families are ordered faster than a file is read
constexpr uint32_t kAuditBit = uint32_t{1} << 31;

/// Everything that an order follows from.
uint64_t key_of(const SizeSpace& space, const FamilyCases& cases, const OrderLimits& limits) {
  uint64_t key = combine_hashes(kOrderRevision, hash64(space.op().info.id));
  for (const SizeAxis& axis : space.axes())
    key = combine_hashes(key, hash64(fmt::format("{} {}", axis.name, axis.scale)));
  for (const uint64_t number : {uint64_t(limits.picks), uint64_t(limits.spread_cap),
                                uint64_t(limits.pool_cap), uint64_t(limits.audits), limits.seed})
    key = combine_hashes(key, number);
  cases.for_each_id([&](size_t, uint64_t id) { key = combine_hashes(key, id); });
  return key;
}

std::string bytes_of(const std::vector<OrderPlace>& order) {
  std::vector<uint32_t> words{0};
  for (const OrderPlace& place : order) words.push_back(place.index | (place.audit ? kAuditBit : 0));
  const auto* const body = reinterpret_cast<const char*>(&words[1]);
  words[0] = checksum32({body, order.size() * sizeof words[0]});
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof words[0]};
}

}  // namespace

OrderCache OrderCache::of_user() {
  if (const char* const xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0')
    return OrderCache(std::string(xdg) + "/perfatlas/orders");
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return OrderCache(std::string(home) + "/.cache/perfatlas/orders");
  return OrderCache({});
}

std::optional<std::vector<OrderPlace>> OrderCache::find(const std::string& path, size_t picks,
                                                        size_t cases) const {
  std::string bytes;
  try {
    if (!file_exists(path)) return std::nullopt;
    bytes = read_file(path);
  } catch (const Error&) {
    return std::nullopt;
  }
  if (bytes.size() != (picks + 1) * sizeof(uint32_t)) return std::nullopt;
  std::vector<uint32_t> words(picks + 1);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (words[0] != checksum32(std::string_view(bytes).substr(sizeof(uint32_t)))) return std::nullopt;
  std::vector<OrderPlace> order;
  for (size_t i = 1; i < words.size(); ++i) {
    if ((words[i] & ~kAuditBit) >= cases) return std::nullopt;
    order.push_back({words[i] & ~kAuditBit, (words[i] & kAuditBit) != 0});
  }
  return order;
}

std::vector<OrderPlace> OrderCache::order(const SizeSpace& space, const FamilyCases& cases,
                                          const OrderLimits& limits) const {
  if (folder_.empty() || cases.count < kWorthKeeping) return family_order(space, cases, limits);
  const std::string path = fmt::format("{}/{}.order", folder_, hex16(key_of(space, cases, limits)));
  if (auto known = find(path, limits.picks, cases.count)) return std::move(*known);
  std::vector<OrderPlace> order = family_order(space, cases, limits);
  try {
    make_writable_folder(folder_);
    replace_file(path, bytes_of(order));
  } catch (const Error&) {  // a full or read-only home
  }
  return order;
}

}  // namespace perfatlas
