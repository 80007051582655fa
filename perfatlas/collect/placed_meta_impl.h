// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "perfatlas/collect/place.h"
#include "perfatlas/collect/place_input.h"
#include "perfatlas/store/collection_meta.h"

namespace perfatlas {

/// A collection that never measured one of an op's sub-kernels is not complete, whatever its cases say.
bool has_all_sub_kernels(const OpType& op, const RowStore& measured);

/// Builds the sidecar of one table folder: what it said before, and the runs whose rows or outcomes come to it now.
/// A run that it names already is replaced, so that placing twice counts nothing twice.
class PlacedMeta {
 public:
  PlacedMeta(std::optional<CollectionMeta> old, const TableFolder& folder, const PlaceInput& input);
  /// `has_sub_kernels`: what has_all_sub_kernels() said of the measured rows.
  void add_table(const OpType& op, const PlacedTable& placed, bool has_sub_kernels);
  CollectionMeta result() const { return meta_; }

 private:
  void add_runs();
  void sum_outcomes(const std::string& table, TableProvenance& provenance) const;

  CollectionMeta meta_;
  const TableFolder& folder_;
  const PlaceInput& input_;
};

}  // namespace perfatlas
