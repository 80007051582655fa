// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "perfatlas/collect/collection_contents.h"
#include "perfatlas/collect/place.h"
#include "perfatlas/store/collection_meta.h"

namespace perfatlas {

/// Builds the sidecar of one table folder: what it said before, and the runs whose rows or outcomes come to it now.
/// A run that it names already is replaced, so that placing twice counts nothing twice.
class PlacedMeta {
 public:
  PlacedMeta(std::optional<CollectionMeta> old, const TableFolder& folder,
             const CollectionContents& contents);
  void add_table(const OpType& op, const PlacedTable& placed, const std::vector<MeasuredRow>& measured);
  CollectionMeta result() const { return meta_; }

 private:
  void add_runs();
  void sum_outcomes(const std::string& table, TableProvenance& provenance) const;

  CollectionMeta meta_;
  const TableFolder& folder_;
  const CollectionContents& contents_;
};

}  // namespace perfatlas
