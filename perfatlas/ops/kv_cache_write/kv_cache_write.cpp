// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/kv_cache_write/kv_cache_write.h"

#include <algorithm>

namespace perfatlas {
namespace {

/// Element of a cache that holds the first one of a head of the new token number `token` (over all sequences).
size_t cached(const AttentionShape& s, const std::vector<int32_t>& page_table, int64_t token, int64_t head) {
  const int64_t sequence = token / s.isl, position = s.step + token % s.isl;
  const int64_t page = page_table[size_t(sequence * s.pages_per_sequence() + position / kPageTokens)];
  return size_t(((page * s.kv_heads + head) * kPageTokens + position % kPageTokens) * s.head_dim);
}

}  // namespace

AttentionShape KvCacheWrite::shape() const {
  return {.batch = batch,
          .isl = isl,
          .step = step,
          .heads = kv_heads,
          .kv_heads = kv_heads,
          .head_dim = head_dim,
          .dtype = dtype,
          .kv_dtype = kv_dtype};
}

std::string_view KvCacheWrite::why_invalid() const {
  if (const std::string_view reason = why_invalid_attention(shape()); !reason.empty()) return reason;
  if (bits_of(dtype) < 16) return "new tokens are float32, float16 or bfloat16";
  if (kv_dtype == DType::int8) return "an int8 cache needs scales, which this op does not have";
  if (rope_dim < 0 || rope_dim >= head_dim) return "rope_dim must be 0 or less than head_dim";
  if (latent() && kv_heads != 1) return "the latent cache (rope_dim above 0) has one head";
  return {};
}

Work KvCacheWrite::work() const {
  const double elements =
      double(batch) * double(isl) * double(kv_heads) * double(head_dim) * (latent() ? 1 : 2);
  const double touched_pages = double(batch) * double(shape().pages_per_sequence() - step / kPageTokens);
  return {
      .activation_bytes_read = elements * bytes_of(dtype) + touched_pages * bytes_of(DType::int32),
      .kv_bytes_written = elements * bytes_of(kv_dtype),
  };
}

Operands KvCacheWrite::operands() const {
  using enum OperandRole;
  const int64_t tokens = batch * isl, pages = batch * shape().pages_per_sequence();
  const Operand table{.name = "page_table",
                      .role = activation,
                      .dtype = DType::int32,
                      .shape = {batch, shape().pages_per_sequence()},
                      .fill = Fill::page_table};
  const auto fresh = [&](std::string name, std::vector<int64_t> extents) {
    return Operand{.name = std::move(name), .role = activation, .dtype = dtype, .shape = std::move(extents)};
  };
  const auto cache = [&](std::string name, std::vector<int64_t> extents) {
    return Operand{
        .name = std::move(name), .role = kv, .dtype = kv_dtype, .shape = std::move(extents), .written = true};
  };
  if (latent())
    return {fresh("latent", {tokens, head_dim - rope_dim}), fresh("k_rope", {tokens, rope_dim}),
            cache("cache", {pages, kPageTokens, head_dim}), table};
  const std::vector<int64_t> keys{tokens, kv_heads, head_dim}, paged{pages, kv_heads, kPageTokens, head_dim};
  return {fresh("k", keys), fresh("v", keys), cache("k_cache", paged), cache("v_cache", paged), table};
}

void KvCacheWrite::reference(std::vector<HostOperand>& data) const {
  const AttentionShape s = shape();
  for (int64_t token = 0; token < batch * isl; ++token)
    for (int64_t head = 0; head < kv_heads; ++head) {
      const size_t to = cached(s, data.back().indices, token, head);
      if (latent()) {
        const int64_t width = head_dim - rope_dim;
        std::copy_n(&data[0].values[size_t(token * width)], width, &data[2].values[to]);
        std::copy_n(&data[1].values[size_t(token * rope_dim)], rope_dim, &data[2].values[to + size_t(width)]);
        continue;
      }
      const size_t from = size_t((token * kv_heads + head) * head_dim);
      std::copy_n(&data[0].values[from], head_dim, &data[2].values[to]);
      std::copy_n(&data[1].values[from], head_dim, &data[3].values[to]);
    }
}

void KvCacheWrite::model_cases(const ModelShapes& shapes, const CaseSink<KvCacheWrite>& sink) {
  for (KvCacheWrite op : shapes.of<KvCacheWrite>()) {
    op.batch = 1, op.step = 0;
    for (const int64_t tokens : kTokenLadder) {
      op.isl = tokens;
      sink(op);
    }
    op.isl = 1, op.step = kDecodeStep;
    for (const int64_t batch : kBatchLadder) {
      op.batch = batch;
      sink(op);
    }
  }
}

}  // namespace perfatlas
