// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/store/row.h"

#include "perfatlas/base/error.h"
#include "perfatlas/base/hash.h"

namespace perfatlas {

double latency_ms(const Row& row) {
  const auto columns = row.c.op->info.measured;
  PERFATLAS_ASSERT(row.measured.size() == columns.size());
  double sum = 0;
  for (size_t i = 0; i < columns.size(); ++i) sum += row.measured[i] * columns[i].to_ms;
  return sum;
}

uint64_t row_identity(const Row& row) {
  uint64_t id = combine_hashes(case_id(row.c), hash64(row.kernel_source));
  if (!row.quality) return id;
  id = combine_hashes(id, hash64(name_of(row.quality->cache_state)));
  return combine_hashes(id, hash64(name_of(row.quality->launch)));
}

}  // namespace perfatlas
