// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/sparse_table.h"

namespace perfatlas::aic {
namespace {

constexpr std::string_view kDensePrefill =
    "sglang_dsa_dense_mha_trtllm_ragged";  // of short prompts, chosen or not

enum Column : size_t { architecture, dtype, kv_dtype, gemm, heads, batch, isl, step };

}  // namespace

SparseTable::SparseTable(std::string_view op_id, bool context, const Database& database, SharedLayer shared)
    : context_(context),
      rows_(database.rows(op_id, shared)),
      fields_(*rows_, {"architecture", "mla_dtype", "kv_cache_dtype", "gemm_type", "num_heads", "batch_size",
                       "isl", "step"}),
      index_(database.table_name(op_id), rows_,
             {fields_.part(architecture), fields_.part(dtype), fields_.part(kv_dtype), fields_.part(gemm)},
             [this](uint32_t row, TableKey& key) {
               key = {fields_(row, architecture), fields_(row, dtype), fields_(row, kv_dtype),
                      fields_(row, gemm)};
               return true;
             }) {}

TableKey SparseTable::key_of(const SparseKey& key) const {
  return {fields_.value_of(architecture, key.architecture).value_or(-1),
          fields_.value_of(dtype, name_of(key.fmha)).value_or(-1),
          fields_.value_of(kv_dtype, name_of(key.kv)).value_or(-1),
          fields_.value_of(gemm, name_of(key.gemm)).value_or(-1)};
}

bool SparseTable::serves(uint32_t row, QuantMode kv, SparseKernels wanted) const {
  const std::string_view kernel = rows_->kernel(row).text();
  if (kv == QuantMode::bfloat16 || kernel == kDensePrefill) return true;
  const bool trtllm = kernel.find("trtllm") != std::string_view::npos;
  return trtllm == (wanted == SparseKernels::trtllm);
}

PointList SparseTable::points(const SparseKey& key, SparseKernels wanted) const {
  PointList points(*rows_);
  const TableIndex::Group* group = index_.find(key_of(key));
  if (group == nullptr) return points;
  for (const SparseKernels kernels :
       {wanted, wanted == SparseKernels::trtllm ? SparseKernels::flashmla : SparseKernels::trtllm}) {
    for (const uint32_t row : group->rows) {
      if (!serves(row, key.kv, kernels)) continue;
      const int64_t n = fields_(row, heads), b = fields_(row, batch), s = fields_(row, isl),
                    p = fields_(row, step);
      points.replace(context_ ? Coordinates{n, p, s, b} : Coordinates{n, b, s + p}, row);
    }
    if (!points.empty()) break;
  }
  return points;
}

std::string SparseTable::why_missing(const SparseKey& key) const { return index_.why_missing(key_of(key)); }

}  // namespace perfatlas::aic
