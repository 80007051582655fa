// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/ops/collective/collective_aic_tables.h"

#include <algorithm>

namespace perfatlas::aic {
namespace {

enum AllReduceColumn : size_t { ar_gpus, ar_elements, ar_backend };
enum NcclColumn : size_t { nccl_operation, nccl_dtype, nccl_gpus, nccl_elements };

bool is_eager(std::string_view kernel) { return kernel.ends_with("_eager"); }

SolFunction per_element(double ms) {
  return [ms](const Coordinates& at) { return ms * double(at[0]); };
}

}  // namespace

double all_reduce_sol_ms(const AicSystem& system, int64_t gpus) {
  const double n = double(gpus);
  return 2 * 2 / n * (n - 1) / system.bandwidth(gpus) * 1e3;
}

double nccl_sol_ms(const AicSystem& system, std::string_view operation, QuantMode dtype, int64_t gpus) {
  const bool twice = operation == "all_reduce";
  if (!twice && operation != "all_gather" && operation != "reduce_scatter" && operation != "alltoall")
    return 0;
  const double n = double(gpus);
  return (twice ? 2 : 1) * profile_of(dtype).bytes * (n - 1) / n / system.bandwidth(gpus) * 1e3;
}

AllReduceTable::AllReduceTable(const Database& database, SharedLayer shared)
    : system_(database.system()),
      rows_(database.rows("custom_all_reduce", shared)),
      fields_(*rows_, {"num_gpus", "message_size", "backend"}),
      index_(database.table_name("custom_all_reduce"), rows_, {fields_.part(ar_gpus)},
             [this, eager_counts = database.system().name == "b60"](uint32_t row, TableKey& key) {
               if (!eager_counts && (is_eager(rows_->kernel(row).text()) ||
                                     is_eager(Symbol::from_id(fields_(row, ar_backend)).text())))
                 return false;
               key = {fields_(row, ar_gpus)};
               return true;
             }) {}

std::shared_ptr<const Surface> AllReduceTable::find(int64_t gpus) const {
  return surfaces_.get(gpus, [&]() -> std::shared_ptr<const Surface> {
    const TableIndex::Group* group = index_.find({gpus});
    if (group == nullptr) return nullptr;
    PointList points(*rows_);
    for (const uint32_t row : group->rows) points.add({fields_(row, ar_elements)}, row);
    return std::make_shared<const Surface>(AxisLayout{}, std::move(points),
                                           per_element(all_reduce_sol_ms(system_, gpus)));
  });
}

int64_t AllReduceTable::largest_group() const {
  int64_t largest = 0;
  for (const TableIndex::Group& group : index_.groups()) largest = std::max(largest, group.key[0]);
  return largest;
}

std::string AllReduceTable::why_missing(int64_t gpus) const { return index_.why_missing({gpus}); }

NcclTable::NcclTable(const Database& database, SharedLayer shared)
    : system_(database.system()),
      rows_(database.rows("collective", shared)),
      fields_(*rows_, {"op_name", "nccl_dtype", "num_gpus", "message_size"}),
      index_(database.table_name("collective"), rows_,
             {fields_.part(nccl_dtype), fields_.part(nccl_operation), fields_.part(nccl_gpus)},
             [this](uint32_t row, TableKey& key) {
               key = {fields_(row, nccl_dtype), fields_(row, nccl_operation), fields_(row, nccl_gpus)};
               return true;
             }) {}

TableKey NcclTable::key_of(const std::string& operation, QuantMode dtype, int64_t gpus) const {
  return {fields_.value_of(nccl_dtype, name_of(dtype)).value_or(-1),
          fields_.value_of(nccl_operation, operation).value_or(-1), gpus};
}

std::shared_ptr<const Surface> NcclTable::find(const std::string& operation, QuantMode dtype,
                                               int64_t gpus) const {
  const TableKey key = key_of(operation, dtype, gpus);
  return surfaces_.get(key, [&]() -> std::shared_ptr<const Surface> {
    const TableIndex::Group* group = index_.find(key);
    if (group == nullptr) return nullptr;
    PointList points(*rows_);
    for (const uint32_t row : group->rows) points.add({fields_(row, nccl_elements)}, row);
    return std::make_shared<const Surface>(AxisLayout{}, std::move(points),
                                           per_element(nccl_sol_ms(system_, operation, dtype, gpus)));
  });
}

int64_t NcclTable::largest_group(const std::string& operation, QuantMode dtype) const {
  const TableKey wanted = key_of(operation, dtype, 0);
  int64_t largest = 0;
  for (const TableIndex::Group& group : index_.groups())
    if (group.key[0] == wanted[0] && group.key[1] == wanted[1]) largest = std::max(largest, group.key[2]);
  return largest;
}

std::string NcclTable::why_missing(const std::string& operation, QuantMode dtype, int64_t gpus) const {
  return index_.why_missing(key_of(operation, dtype, gpus));
}

}  // namespace perfatlas::aic
