// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/attention/attention_ggml_cache.h"

#include <algorithm>
#include <cstring>

namespace perfatlas {
namespace {

int64_t whole_units(int64_t tokens) {
  return (tokens + kGgmlCacheUnit - 1) / kGgmlCacheUnit * kGgmlCacheUnit;
}

const std::byte* at(const void* memory, size_t offset) {
  return static_cast<const std::byte*>(memory) + offset;
}
std::byte* at(void* memory, size_t offset) { return static_cast<std::byte*>(memory) + offset; }

}  // namespace

GgmlCacheLayout::GgmlCacheLayout(const AttentionShape& shape)
    : shape_(shape),
      row_bytes_(size_t(double(shape.head_dim) * bytes_of(shape.kv_dtype))),
      stream_tokens_(whole_units(shape.pages_per_sequence() * kPageTokens)) {}

/// copy(offset in the pages, offset in the streams) for every row of every page.
template <class Copy>
void GgmlCacheLayout::for_each_row(std::span<const int32_t> page_table, Copy copy) const {
  const int64_t pages = shape_.pages_per_sequence();
  for (int64_t sequence = 0; sequence < shape_.batch; ++sequence)
    for (int64_t position = 0; position < pages * kPageTokens; ++position)
      for (int64_t head = 0; head < shape_.kv_heads; ++head) {
        const int64_t page = page_table[size_t(sequence * pages + position / kPageTokens)];
        const int64_t row = (page * shape_.kv_heads + head) * kPageTokens + position % kPageTokens;
        const int64_t cell = (sequence * stream_tokens_ + position) * shape_.kv_heads + head;
        copy(size_t(row) * row_bytes_, size_t(cell) * row_bytes_);
      }
}

void GgmlCacheLayout::pack(std::span<const int32_t> page_table, const void* pages, void* streams) const {
  std::memset(streams, 0, bytes());
  for_each_row(page_table, [&](size_t in_pages, size_t in_streams) {
    std::memcpy(at(streams, in_streams), at(pages, in_pages), row_bytes_);
  });
}

void GgmlCacheLayout::unpack(std::span<const int32_t> page_table, const void* streams, void* pages) const {
  for_each_row(page_table, [&](size_t in_pages, size_t in_streams) {
    std::memcpy(at(pages, in_pages), at(streams, in_streams), row_bytes_);
  });
}

std::vector<GgmlMicroBatch> ggml_micro_batches(const AttentionShape& shape) {
  const int64_t together = std::clamp<int64_t>(kGgmlMicroBatch / shape.isl, 1, shape.batch);
  const int64_t capacity = whole_units(shape.pages_per_sequence() * kPageTokens);
  std::vector<GgmlMicroBatch> batches;
  for (int64_t sequence = 0; sequence < shape.batch; sequence += together)
    for (int64_t token = 0; token < shape.isl; token += kGgmlMicroBatch) {
      const int64_t tokens = std::min(kGgmlMicroBatch, shape.isl - token);
      const int64_t first = shape.first_visible(shape.step + token) / kGgmlCacheUnit * kGgmlCacheUnit;
      const int64_t end = std::min(capacity, whole_units(shape.step + token + tokens));
      batches.push_back({sequence, std::min(together, shape.batch - sequence), token, tokens, first, end});
    }
  return batches;
}

std::vector<std::byte> ggml_mask(const AttentionShape& shape, const GgmlMicroBatch& batch) {
  constexpr uint16_t kHidden = 0xfc00;  // -infinity
  const int64_t width = batch.end_position - batch.first_position;
  std::vector<uint16_t> mask(size_t(width * batch.tokens), kHidden);
  for (int64_t token = 0; token < batch.tokens; ++token) {
    const int64_t position = shape.step + batch.token + token;
    const int64_t row = token * width - batch.first_position;
    std::fill(mask.begin() + row + shape.first_visible(position), mask.begin() + row + position + 1,
              uint16_t(0));
  }
  std::vector<std::byte> bytes(mask.size() * sizeof(uint16_t));
  std::memcpy(bytes.data(), mask.data(), bytes.size());
  return bytes;
}

}  // namespace perfatlas
