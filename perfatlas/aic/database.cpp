// SPDX-License-Identifier: Apache-2.0
#include "perfatlas/aic/database.h"

#include <fmt/format.h>

namespace perfatlas::aic {

Database::Database(const SystemsRoot& root, std::string system, std::string backend, std::string version)
    : root_(root),
      system_(root.system_of({system, backend, version})),
      backend_(std::move(backend)),
      version_(std::move(version)) {}

std::shared_ptr<const TableRows> Database::rows(std::string_view op_id, SharedLayer shared) const {
  return root_.table_rows(op(op_id), {system_.name, backend_, version_, shared});
}

std::string Database::table_name(std::string_view op_id) const {
  return fmt::format("{} ({}, {} {})", op(op_id).info.table, system_.name, backend_, version_);
}

Database::Slot& Database::slot_of(std::type_index type, SharedLayer shared) const {
  const auto key = std::pair(type, shared);
  {
    const std::shared_lock lock(mutex_);
    const auto at = families_.find(key);
    if (at != families_.end()) return at->second;
  }
  const std::unique_lock lock(mutex_);
  return families_[key];
}

}  // namespace perfatlas::aic
