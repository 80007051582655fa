// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include "perfatlas/base/hash.h"
#include "perfatlas/base/parallel.h"
#include "perfatlas/collect/plan_shuffle_impl.h"

namespace perfatlas {
namespace {

constexpr size_t kLeastPerThread = 1 << 16;  // cases: some milliseconds
// Cases are sorted by parts of the range of mixed ids: so many keys are held at a time.
constexpr uint64_t kPartCases = 3'000'000;

}  // namespace

Shuffle::Shuffle(const CaseStore& store, const CaseStore::OpCases& own, uint64_t seed)
    : store_(store), own_(own), seed_(seed) {
  order_.reserve(own.count);
  std::vector<uint32_t> halves(own.count);  // upper ones of the mixed ids
  std::atomic<uint64_t> sum = 0;
  in_parallel(own.count, kLeastPerThread, [&](size_t begin, size_t end) {
    uint64_t part = 0;
    for (size_t i = begin; i < end; ++i) {
      const uint64_t id = store.id(own.first + uint32_t(i));
      part += id;
      halves[i] = uint32_t(combine_hashes(id, seed) >> 32);
    }
    sum += part;
  });
  hash_ = sum;
  const uint64_t parts = own.count / kPartCases + 1;
  for (uint64_t part = 0; part < parts; ++part) take_part(halves, part, parts);
}

void Shuffle::take_part(const std::vector<uint32_t>& halves, uint64_t part, uint64_t parts) {
  std::vector<uint64_t> keys;  // half of the mixed id, index
  keys.reserve(halves.size() / parts + halves.size() / 64);
  for (uint32_t i = 0; i < halves.size(); ++i)
    if (halves[i] * parts >> 32 == part) keys.push_back(uint64_t(halves[i]) << 32 | (own_.first + i));
  std::sort(keys.begin(), keys.end());
  for (size_t begin = 0, end = 0; begin < keys.size(); begin = end) {
    while (end < keys.size() && keys[end] >> 32 == keys[begin] >> 32) ++end;
    if (end == begin + 1)
      order_.push_back(uint32_t(keys[begin]));
    else
      take_distinct({&keys[begin], end - begin});
  }
}

/// Equal halves: the same case repeated, or chance.
void Shuffle::take_distinct(std::span<const uint64_t> keys) {
  struct Known {
    uint64_t mixed = 0, id = 0;
    uint32_t index = 0;
    auto operator<=>(const Known&) const = default;
  };
  std::vector<Known> cases;
  for (const uint64_t key : keys) {
    const uint64_t id = store_.id(uint32_t(key));
    cases.push_back({combine_hashes(id, seed_), id, uint32_t(key)});
  }
  std::sort(cases.begin(), cases.end());
  for (size_t i = 0; i < cases.size(); ++i) {
    if (i == 0 || cases[i].id != cases[i - 1].id)
      order_.push_back(cases[i].index);
    else
      hash_ -= cases[i].id;
  }
}

}  // namespace perfatlas
