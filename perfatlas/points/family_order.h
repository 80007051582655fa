// SPDX-License-Identifier: Apache-2.0
// The static order in which the cases of one family are measured: spread first, audits in between. Known before
// anything is measured, so that any number of machines follow it without talking to each other.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "perfatlas/interp/size_space.h"
#include "perfatlas/points/farthest_order.h"

namespace perfatlas {

/// Families below this are measured whole: it takes minutes, and a few bad rows would decide their error.
inline constexpr size_t kWholeFamily = 2000;

/// How far an order goes and how many of its places are audits.
struct OrderLimits {
  size_t picks = 0;  // places in all; REQUIRES: <= cases
  // Places found by spreading; the others follow by random draw, which at that density covers as well and costs
  // nothing.
  size_t spread_cap = 4096;
  // Of larger families spreading and drawing see so many cases, those of the smallest mixed ids; the rest follows in
  // the order of its mixed ids.
  size_t pool_cap = 1 << 18;
  bool audits = true;
  uint64_t seed = 42;  // of the audits' draw
};

/// The cases of one family by number, so that a family of millions is never held as values.
struct FamilyCases {
  size_t count = 0;
  std::function<FieldValues(size_t)> values;
  std::function<uint64_t(size_t)> id;  // case_id; may be asked from many threads

  /// Calls visit(number, id) for every case in order; ids are made on all processors.
  void for_each_id(const std::function<void(size_t, uint64_t)>& visit) const;
};

/// Every so many places one is an audit: 10, or fewer places so that a family has 100 audits, but at most every second.
/// No audits (0) when `picks` covers all `cases`: nothing is left to predict.
size_t audit_stride(size_t picks, size_t cases);

/// A place of the order. An audit is predicted from the places before it, then measured and used like any other.
struct OrderPlace {
  uint32_t index = 0;  // of the case within the family
  bool audit = false;
};

/// REQUIRES: all cases are of one family. The same cases in the same order give the same order on every machine; ties
/// go to the lower index. A shorter order is the prefix of a longer one with the same audit_stride.
/// Audits are drawn without replacement, each shape with the same weight, spread evenly over its octave cells of
/// running sizes (exponential keys: Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006).
std::vector<OrderPlace> family_order(const SizeSpace& space, const FamilyCases& cases,
                                     const OrderLimits& limits);

}  // namespace perfatlas
