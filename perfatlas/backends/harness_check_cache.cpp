// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/backends/harness_check_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include "perfatlas/backends/operand_convert.h"
#include "perfatlas/backends/operand_fill.h"

namespace perfatlas {
namespace {

/// Where the cached tokens of an op lie.
struct Paging {
  size_t table = 0;
  std::vector<size_t> caches;
  int64_t pages = 0, sequences = 1, pages_per_sequence = 0;
};

std::optional<Paging> paging_of(const Operands& operands) {
  const auto table = std::find_if(operands.begin(), operands.end(),
                                  [](const Operand& o) { return o.fill == Fill::page_table; });
  if (table == operands.end()) return std::nullopt;
  Paging paging{.table = size_t(table - operands.begin()), .pages = table->elements()};
  paging.pages_per_sequence = table->shape.back();
  paging.sequences = paging.pages / std::max<int64_t>(paging.pages_per_sequence, 1);
  for (size_t i = 0; i < operands.size(); ++i)
    if (operands[i].role == OperandRole::kv && operands[i].shape.size() >= 3 &&
        operands[i].shape.front() == paging.pages)
      paging.caches.push_back(i);
  if (paging.caches.empty()) return std::nullopt;
  return paging;
}

int64_t slots_of(const Operand& cache) { return cache.shape[cache.shape.size() - 2]; }

/// Calls `visit(first element, elements)` for the rows of one position of the last sequence.
template <class Visit>
void for_each_row(const Operand& cache, const Paging& paging, const HostOperand& table, int64_t position,
                  Visit visit) {
  const int64_t slots = slots_of(cache), width = cache.shape.back();
  const int64_t entry = (paging.sequences - 1) * paging.pages_per_sequence + position / slots;
  const int64_t between = cache.elements() / (paging.pages * slots * width);  // heads
  for (int64_t i = 0; i < between; ++i)
    visit(((table.indices[size_t(entry)] * between + i) * slots + position % slots) * width, width);
}

HarnessCheck check_read(const CacheEvidence& e, uint64_t other_seed) {
  constexpr const char* kName = "KV cache is read";
  std::vector<HostOperand> changed = e.content;
  bool has_cache = false;
  for (HostOperand& operand : changed)
    if (operand.declared.role == OperandRole::kv) {
      operand = make_host_operand(operand.declared, other_seed);
      has_cache = true;
    }
  if (!has_cache) return {kName, Verdict::not_applicable, "the op has no KV cache"};
  if (e.what.op->work(e.what.values).kv_bytes_read == 0)
    return {kName, Verdict::not_applicable, "this case reads nothing that was cached before"};
  const CheckRunResult other = e.runner.run(changed, e.pattern);
  for (size_t i = 0; i < e.operands.size(); ++i)
    if (e.operands[i].role == OperandRole::output && other.after[i] != e.first.after[i])
      return {kName, Verdict::passed, "another cache content gives another result"};
  return {kName, Verdict::failed, "another cache content gives the same result"};
}

/// Pages of `cache` that differ although the tables name them for the same tokens.
int64_t pages_that_differ(const CacheEvidence& e, size_t cache, const Paging& paging,
                          const CheckRunResult& moved, const std::vector<int32_t>& moved_table) {
  const std::vector<std::byte>&before = e.first.after[cache], &after = moved.after[cache];
  const size_t page_bytes = before.size() / size_t(paging.pages);
  int64_t differ = 0;
  for (size_t i = 0; i < moved_table.size(); ++i) {
    const auto from = before.begin() + ptrdiff_t(size_t(e.content[paging.table].indices[i]) * page_bytes);
    differ += !std::equal(from, from + ptrdiff_t(page_bytes),
                          after.begin() + ptrdiff_t(size_t(moved_table[i]) * page_bytes));
  }
  return differ;
}

HarnessCheck check_page_table(const CacheEvidence& e, const Paging& paging) {
  constexpr const char* kName = "page table is followed";
  if (paging.pages < 2) return {kName, Verdict::not_applicable, "the cache of this case is one page"};
  std::vector<HostOperand> moved = e.content;
  std::vector<int32_t>& table = moved[paging.table].indices;
  std::rotate(table.begin(), table.begin() + 1, table.end());  // no page stays where it was
  for (const size_t cache : paging.caches) {
    const std::vector<float>& from = e.content[cache].values;
    const auto page = int64_t(from.size()) / paging.pages;
    for (size_t i = 0; i < table.size(); ++i)
      std::copy_n(from.begin() + e.content[paging.table].indices[i] * page, page,
                  moved[cache].values.begin() + table[i] * page);
  }
  const CheckRunResult other = e.runner.run(moved, e.pattern);
  for (size_t i = 0; i < e.operands.size(); ++i)
    if (e.operands[i].role == OperandRole::output && other.after[i] != e.first.after[i])
      return {kName, Verdict::failed,
              fmt::format("{}: moving pages together with the table changes the result", e.operands[i].name)};
  for (const size_t cache : paging.caches)
    if (e.operands[cache].written)
      if (const int64_t differ = pages_that_differ(e, cache, paging, other, table); differ > 0)
        return {
            kName, Verdict::failed,
            fmt::format("{}: {} pages are not written where the table says", e.operands[cache].name, differ)};
  return {kName, Verdict::passed, "pages moved together with the table give the same result"};
}

/// Tokens of a sequence that are cached before the launch: [first, last) are visible to some new token.
struct Prefix {
  int64_t first = 0, last = 0;
};

/// The last cached token lies before the first one that the reference writes; how many are visible follows from the
/// bytes that the op must read.
Prefix prefix_of(const CacheEvidence& e, const Paging& paging) {
  const Operands declared = e.what.op->operands(e.what.values);
  double token_bytes = 0;
  for (const size_t cache : paging.caches)
    token_bytes += declared[cache].bytes() / double(paging.pages * slots_of(declared[cache]));
  const double read = e.what.op->work(e.what.values).kv_bytes_read;
  const auto visible = int64_t(std::llround(read / token_bytes / double(paging.sequences)));
  const std::vector<HostOperand> expected = reference_result(e.what, e.content, e.first.after);
  for (const size_t cache : paging.caches) {
    const int64_t tokens = paging.pages_per_sequence * slots_of(e.operands[cache]);
    for (int64_t position = 0; position < tokens; ++position) {
      bool written = false;
      for_each_row(e.operands[cache], paging, e.content[paging.table], position,
                   [&](int64_t at, int64_t width) {
                     const auto from = expected[cache].values.begin() + at;
                     written |= !std::equal(from, from + width, e.content[cache].values.begin() + at);
                   });
      if (written) return {std::max<int64_t>(position - visible, 0), position};
    }
  }
  return {0, visible};
}

/// The content with one position of the last sequence, in one cache, 16 times as large.
std::vector<HostOperand> amplified(const CacheEvidence& e, const Paging& paging, size_t cache,
                                   int64_t position) {
  std::vector<HostOperand> content = e.content;
  HostOperand& operand = content[cache];
  for_each_row(operand.declared, paging, content[paging.table], position, [&](int64_t at, int64_t width) {
    for (int64_t i = at; i < at + width; ++i) operand.values[size_t(i)] *= 16;
  });
  const DType type = operand.declared.dtype;
  operand.values = decode_elements(type, encode_elements(type, operand.values));
  return content;
}

/// The largest error of any output on `content`.
double error_on(const CacheEvidence& e, const std::vector<HostOperand>& content) {
  const CheckRunResult run = e.runner.run(content, e.pattern);
  const std::vector<HostOperand> expected = reference_result(e.what, content, run.after);
  double error = 0;
  for (size_t i = 0; i < e.operands.size(); ++i)
    if (e.operands[i].role == OperandRole::output && e.operands[i].dtype != DType::int32)
      error = std::max(
          error, relative_l2_error(decode_elements(e.operands[i].dtype, run.after[i]), expected[i].values));
  return error;
}

HarnessCheck check_prefix(const CacheEvidence& e, const Paging& paging) {
  constexpr const char* kName = "whole prefix is read";
  const Work work = e.what.op->work(e.what.values);
  if (work.kv_bytes_read == 0)
    return {kName, Verdict::not_applicable, "this case reads nothing that was cached before"};
  if (e.what.op->reference == nullptr) return {kName, Verdict::not_applicable, "the op has no reference"};
  if (const double flops = work.flops * double(3 * paging.caches.size() + 1); flops > kMostReferenceFlops)
    return {kName, Verdict::not_applicable,
            fmt::format("{:.1e} operations are too many for the naive reference (limit {:.0e})", flops,
                        kMostReferenceFlops)};
  const Prefix prefix = prefix_of(e, paging);
  double worst = 0;
  for (const int64_t position : std::set<int64_t>{prefix.first - 1, prefix.first, prefix.last - 1}) {
    if (position < 0 || position >= prefix.last) continue;
    for (const size_t cache : paging.caches) {
      const double error = error_on(e, amplified(e, paging, cache, position));
      if (!(error <= e.tolerance))
        return {
            kName, Verdict::failed,
            fmt::format("{}: cached token {} of {} does not count as it should (relative L2 error {:.2e}, "
                        "allowed {:.0e})",
                        e.operands[cache].name, position, prefix.last, error, e.tolerance)};
      worst = std::max(worst, error);
    }
  }
  return {kName, Verdict::passed,
          fmt::format("first, last and last invisible cached token: relative L2 error {:.2e}", worst)};
}

}  // namespace

double relative_l2_error(const std::vector<float>& values, const std::vector<float>& expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    difference += (double(values[i]) - expected[i]) * (double(values[i]) - expected[i]);
    norm += double(expected[i]) * expected[i];
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

std::vector<HostOperand> reference_result(const Case& what, std::vector<HostOperand> content,
                                          const OperandBytes& after) {
  for (size_t i = 0; i < content.size(); ++i)
    if (content[i].declared.choice) std::memcpy(content[i].indices.data(), after[i].data(), after[i].size());
  what.op->reference(what.values, content);
  return content;
}

std::vector<HarnessCheck> check_cache(const CacheEvidence& evidence, uint64_t other_seed) {
  std::vector<HarnessCheck> checks = {check_read(evidence, other_seed)};
  if (const auto paging = paging_of(evidence.operands)) {
    checks.push_back(check_page_table(evidence, *paging));
    checks.push_back(check_prefix(evidence, *paging));
  } else {
    for (const char* name : {"page table is followed", "whole prefix is read"})
      checks.push_back({name, Verdict::not_applicable, "the op has no paged KV cache"});
  }
  return checks;
}

}  // namespace perfatlas
